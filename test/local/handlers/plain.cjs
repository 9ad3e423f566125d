// Plain functions of Lambda, as a CommonJS module.
const { appendFileSync, existsSync, readFileSync, writeFileSync } = require("node:fs")
const { join } = require("node:path")

exports.handler = async (event, context) => ({
  event,
  name: context.functionName,
  arn: context.invokedFunctionArn,
  id: context.awsRequestId,
  client: context.clientContext,
  hasTime: context.getRemainingTimeInMillis() > 0,
  key: process.env.AWS_ACCESS_KEY_ID,
  session: process.env.AWS_SESSION_TOKEN,
  bearer: process.env.AWS_BEARER_TOKEN_BEDROCK,
  endpoint: process.env.AWS_ENDPOINT_URL_LAMBDA,
  pid: process.pid
})

exports.fails = async () => {
  throw new RangeError("too much")
}

exports.throws = async ({ what }) => {
  if (what === "bare") throw Object.create(null)
  if (what === "stackless") throw Object.assign(new Error("no stack"), { stack: 7 })
  return process.pid
}

// What tools find of the call that runs. The first call continues only when the second one has come.
const store = globalThis.awslambda.InvokeStore
let arrive
const second = new Promise((resolve) => (arrive = resolve))

exports.concurrent = async ({ waits }, { awsRequestId }) => {
  store.set("id", awsRequestId)
  if (waits) await second
  else arrive()
  return { own: store.get("id") === awsRequestId, request: store.getRequestId() === awsRequestId }
}

exports.silent = async () => undefined

// Ends its process, the first time that it is called with a file.
exports.fragile = async ({ file }) => {
  appendFileSync(file, "called\n")
  const calls = readFileSync(file, "utf8").split("\n").length - 1
  if (calls === 1) process.exit(7)
  return { Status: "SUCCEEDED", Result: JSON.stringify(calls) }
}

exports.stuck = () => new Promise(() => setInterval(() => {}, 1000))

// Is interrupted as by a terminal, which sends the signal to every process of its group.
exports.interrupted = async () => process.kill(process.pid, "SIGINT")

// Ends only when another function is told to end, too.
exports.companion = async ({ folder, other, own }) => {
  process.once("SIGTERM", () => {
    writeFileSync(join(folder, own), "")
    setInterval(() => {
      if (!existsSync(join(folder, other))) return
      writeFileSync(join(folder, `${own} and ${other}`), "")
      process.exit()
    }, 5)
  })
}
