/**
 * `npm run kill -- --rounds N [--seed S] [--json]`
 *
 * In each round an execution of every scene runs on a local engine, and the engine, or in every second round the process of the
 * function, is killed by `kill -9` in the middle of one of them, at a moment that the seed draws. Then another engine starts
 * on the same database, and every execution must come to the right end. Prints the seed, what is wrong, and last
 * `N survived, N lost`, which counts rounds. Exits with 1 if any was lost.
 */
import process from "node:process"
import { commandLine, count, flag, seed as seedPart } from "../../../scripts/commandLine.ts"
import { dice } from "../dice.ts"
import type { Json } from "../support.ts"
import { Host } from "./host.ts"
import { problemsOf } from "./judge.ts"
import { sceneNames, type SceneName } from "./scenes.ts"

const { values } = commandLine("kill", { rounds: count(10), seed: seedPart(), json: flag })
const { rounds, seed } = values

/** When a scene is in the middle of what it is about: so many milliseconds at most after a line of its log. */
const moments: Readonly<
  Record<SceneName, { readonly mark: string; readonly at: "begin" | "end"; readonly within: number }>
> = {
  step: { mark: "second", at: "begin", within: 120 },
  once: { mark: "once", at: "begin", within: 120 },
  wait: { mark: "before", at: "end", within: 1_000 },
  retry: { mark: "attempt 1", at: "end", within: 1_000 },
  callback: { mark: "submit", at: "end", within: 200 },
  race: { mark: "quick", at: "begin", within: 150 },
  batch: { mark: "item 0", at: "begin", within: 250 },
  compensation: { mark: "undo hotel", at: "begin", within: 150 },
  invoke: { mark: "called", at: "begin", within: 150 }
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

const pathOf = (arn: string): string => `/2025-12-01/durable-executions/${encodeURIComponent(arn)}`

const start = async (host: Host, scene: SceneName, run: string): Promise<string> => {
  const { headers } = await host.ask(
    "POST",
    "/2015-03-31/functions/scene%3A%24LATEST/invocations",
    JSON.stringify({ run, scene }),
    { "x-amz-invocation-type": "Event", "x-amz-durable-execution-name": run }
  )
  return headers.get("x-amz-durable-execution-arn")
}

/** Answers the callback as soon as its id is known, and the one who has it has had a moment to be killed. */
const answerCallback = async (host: Host, run: string): Promise<void> => {
  const note = await host.until(() => host.notes().find((found) => found.run === run && found.callbackId !== undefined))
  await pause(400)
  const path = `/2025-12-01/durable-execution-callbacks/${encodeURIComponent(note?.callbackId ?? "")}/succeed`
  await host.ask("POST", path, `"yes"`)
}

const historyOf = async (host: Host, arn: string): Promise<ReadonlyArray<Json>> =>
  (await host.ask("GET", `${pathOf(arn)}/history?MaxItems=1000`)).json.Events

/** Kills once, in the middle of a scene. */
const strike = async (host: Host, round: number, random: () => number): Promise<string> => {
  const scene = sceneNames[Math.floor(round / 2) % sceneNames.length] ?? "step"
  const run = `${scene}-${round}`
  const { at, mark, within } = moments[scene]
  // The callee of an invoke is another execution of the same run.
  await host.until(() => host.notes().find((note) => note.run === run && note.mark === mark && note.at === at))
  const delay = Math.floor(random() * within)
  await pause(delay)
  const victim = round % 2 === 0 ? "engine" : "handler"
  if (victim === "engine") {
    await host.killEngine()
    await host.start()
  } else host.killHandler(run)
  return `killed the ${victim} ${delay} ms after the ${at} of "${mark}" of ${scene}`
}

const playRound = async (host: Host, round: number, random: () => number) => {
  const runs = await Promise.all(
    sceneNames.map(async (scene) => {
      const run = `${scene}-${round}`
      return { scene, run, arn: await start(host, scene, run) }
    })
  )
  const answered = answerCallback(host, `callback-${round}`)
  const what = await strike(host, round, random)
  await answered
  const problems: Array<string> = []
  for (const { arn, run, scene } of runs) {
    const execution = await host.until(async () => {
      const { json } = await host.ask("GET", pathOf(arn))
      return json.Status === "RUNNING" ? undefined : json
    })
    if (execution === undefined) {
      problems.push(`${scene} never ended`)
      continue
    }
    const evidence = { scene, run, execution, events: await historyOf(host, arn), notes: host.notes() }
    problems.push(...problemsOf(evidence).map((problem) => `${scene} ${problem}`))
  }
  return { round, what, problems }
}

const say = (text: string): void => {
  if (!values.json) console.log(text)
}

console.log(`SEED=${seed}`)
const host = new Host()
const random = dice(seed)
const lost: Array<Awaited<ReturnType<typeof playRound>>> = []
let survived = 0
try {
  await host.start()
  for (let round = 0; round < rounds; round++) {
    const played = await playRound(host, round, random)
    if (played.problems.length === 0) survived++
    else {
      lost.push(played)
      say(`round ${round}: ${played.what}\n${played.problems.map((problem) => `  ${problem}`).join("\n")}`)
    }
  }
} finally {
  await host.end()
}
if (values.json) console.log(JSON.stringify({ seed, survived, lost }))
console.log(`${survived} survived, ${lost.length} lost`)
process.exitCode = lost.length === 0 ? 0 : 1
