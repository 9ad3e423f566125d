// A durable function by hand, whose process ends while it runs for the first time.
const { appendFileSync, readFileSync } = require("node:fs")

exports.handler = async (event) => {
  const [execution] = event.InitialExecutionState.Operations
  const { file } = JSON.parse(execution.ExecutionDetails.InputPayload)
  appendFileSync(file, "called\n")
  const calls = readFileSync(file, "utf8").split("\n").length - 1
  if (calls === 1) process.exit(7)
  return { Status: "SUCCEEDED", Result: JSON.stringify(calls) }
}
