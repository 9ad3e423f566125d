/**
 * `npm run fuzz:http -- --requests N [--seed S] [--json]`
 *
 * Sends an engine requests that a seed draws, eight at a time, and looks at every answer: it must come, have an id, be no fault
 * of the engine, and if it is a refusal have the shape that AWS's client reads. The heap of the engine must not grow by more
 * than 64 MiB in the second half. Prints the seed, what is wrong, and last `N answered, N wrong`. Exits with 1 if anything was.
 */
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { Agent, request } from "node:http"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { commandLine, count, flag, seed as seedPart } from "../../../scripts/commandLine.ts"
import { assemble } from "../../../src/local/Assembly.ts"
import type { FunctionCall, FunctionEnd, Functions } from "../../../src/local/Functions.ts"
import { dice } from "../dice.ts"
import { draw, type Fuzz, type Known } from "./requests.ts"

const { values } = commandLine("fuzz:http", { requests: count(2_000), seed: seedPart(), json: flag })
const { requests, seed } = values

// --- Functions that the fuzzer plays ---------------------------------------------------------------------------------

const arns: Array<string> = []
const callbackIds: Array<string> = []
const tokens = new Map<string, string>()
/** Calls of `orders` that run: more than so many, and the oldest ends. */
const running: Array<(end: FunctionEnd) => void> = []
const maxRunning = 40
const maxKnown = 200

const remember = (list: Array<string>, item: string): void => {
  list.push(item)
  if (list.length > maxKnown) list.shift()
}

const runOrders = ({ payload }: FunctionCall): Effect.Effect<FunctionEnd> =>
  Effect.callback((resume) => {
    const { CheckpointToken, DurableExecutionArn } = JSON.parse(payload)
    if (!tokens.has(DurableExecutionArn)) remember(arns, DurableExecutionArn)
    tokens.set(DurableExecutionArn, CheckpointToken)
    running.push((end) => {
      tokens.delete(DurableExecutionArn)
      resume(Effect.succeed(end))
    })
    if (running.length > maxRunning) running.shift()?.({ _tag: "Returned", body: `{"Status":"SUCCEEDED"}` })
  })

const functions: Functions = {
  names: ["orders", "payments", "email", "other"],
  find: (name) =>
    ["orders", "payments"].includes(name)
      ? { kind: "durable" }
      : ["email", "other"].includes(name)
        ? { kind: "plain" }
        : undefined,
  run: (call) => {
    switch (call.functionName) {
      case "orders":
        return runOrders(call)
      case "payments":
        return Effect.succeed({ _tag: "Returned", body: `{"Status":"SUCCEEDED","Result":"1"}` })
      case "email":
        return Effect.succeed({ _tag: "Returned", body: call.payload })
      default:
        return Effect.succeed({ _tag: "Threw", error: { ErrorType: "E", ErrorMessage: "always" } })
    }
  }
}

// --- Sending and judging -----------------------------------------------------------------------------------------------

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
}

const agent = new Agent({ keepAlive: true, maxSockets: 8 })

/** Milliseconds after which an answer does not come any more. */
const patience = 30_000

const send = (fuzz: Fuzz, port: number): Promise<Answer | string> =>
  new Promise((resolve) => {
    const timer = setTimeout(() => resolve("there was no answer"), patience)
    const done = (answer: Answer | string): void => {
      clearTimeout(timer)
      resolve(answer)
    }
    if (fuzz._tag === "Http") sendHttp(fuzz, port, done)
    else sendBytes(fuzz.text, port, done)
  })

const sendHttp = (
  { body, headers, method, path }: Extract<Fuzz, { readonly _tag: "Http" }>,
  port: number,
  done: (answer: Answer | string) => void
): void => {
  // Without a length the body of a GET would be the next request.
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) }
  const sent = request(
    { host: "127.0.0.1", port, method, path, headers: { ...headers, ...length }, agent },
    (response) => {
      const chunks: Array<Buffer> = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk))
      response.on("end", () =>
        done({ status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString() })
      )
    }
  )
  // A body that is refused before it is whole ends its connection; whether the answer came first is the network's doing.
  sent.on("error", (error) =>
    done((body?.length ?? 0) > 100_000 ? refusedEarly : `the connection broke: ${error.message}`)
  )
  sent.end(body)
}

const refusedEarly: Answer = {
  status: 413,
  headers: { "x-amzn-requestid": "unseen", "x-amzn-errortype": "unseen" },
  text: `{"message":"unseen"}`
}

const sendBytes = (text: string, port: number, done: (answer: Answer | string) => void): void => {
  const socket = connect({ host: "127.0.0.1", port })
  let read = ""
  socket.on("data", (chunk) => (read += chunk.toString()))
  socket.on("error", () => undefined)
  socket.on("close", () => {
    const [head = "", body = ""] = read.split("\r\n\r\n")
    const [first = "", ...lines] = head.split("\r\n")
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()])
    )
    done({ status: Number(first.split(" ")[1]), headers, text: body })
  })
  socket.end(text, "latin1")
}

const refusals = [400, 403, 404, 405, 408, 409, 413, 429, 431]

/** What is wrong with an answer. */
const problemWith = (fuzz: Fuzz, answer: Answer | string): string | undefined => {
  if (typeof answer === "string") return answer
  const { headers, status, text } = answer
  if (![200, 202, 204, ...refusals].includes(status)) return `the status is ${status}: ${text.slice(0, 200)}`
  if (typeof headers["x-amzn-requestid"] !== "string") return "the answer has no id"
  if (fuzz._tag === "Http" && fuzz.method === "HEAD") return undefined
  if (fuzz._tag === "Http" && fuzz.path.startsWith("/_ui/") && isForBrowsers(headers)) return problemForBrowsers(answer)
  const json = text === "" ? undefined : parsed(text)
  if (status < 400) return text !== "" && json === undefined ? "the answer is no JSON" : learn(json)
  if (typeof headers["x-amzn-errortype"] !== "string") return "the refusal has no name"
  return typeof (json?.message ?? json?.Message) === "string"
    ? undefined
    : `the refusal says nothing: ${text.slice(0, 200)}`
}

const isForBrowsers = (headers: Answer["headers"]): boolean =>
  !textOf(headers["content-type"]).startsWith("application/json")

const textOf = (header: unknown): string => (typeof header === "string" ? header : "")

/** What is for a browser may load nothing from elsewhere, and shows nothing that could run in it. */
const problemForBrowsers = ({ headers, status, text }: Answer): string | undefined => {
  if (!textOf(headers["content-security-policy"]).startsWith("default-src 'none';")) return "a page may load anything"
  if (headers["x-content-type-options"] !== "nosniff") return "a browser may guess the type"
  if (/<script(?![^>]* src=)/.test(text)) return "a page has a script in it"
  return status < 400 || status === 404 ? undefined : `the status of a page is ${status}`
}

const parsed = (text: string) => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A checkpoint answers with what the next one needs. */
const learn = (json: ReturnType<typeof parsed>): undefined => {
  for (const operation of json?.NewExecutionState?.Operations ?? []) {
    const id = operation?.CallbackDetails?.CallbackId
    if (typeof id === "string") remember(callbackIds, id)
  }
  return undefined
}

const learnToken = (fuzz: Fuzz, answer: Answer | string): void => {
  if (fuzz._tag !== "Http" || typeof answer === "string" || answer.status !== 200) return
  const [, label = ""] = /durable-executions\/([^/]+)\/checkpoint/.exec(fuzz.path) ?? []
  const token = label === "" ? undefined : parsed(answer.text)?.CheckpointToken
  if (typeof token === "string") tokens.set(decodeURIComponent(label), token)
}

// --- The run -------------------------------------------------------------------------------------------------------------

setFlagsFromString("--expose-gc")
const collect: () => void = runInNewContext("gc")

const heap = (): number => {
  collect()
  return process.memoryUsage().heapUsed
}

const say = (text: string): void => {
  if (!values.json) console.log(text)
}

const random = dice(seed)
const wrong: Array<{ readonly number: number; readonly problem: string; readonly request: Fuzz }> = []
let answered = 0

const bombard = async (port: number, from: number, to: number): Promise<void> => {
  let next = from
  const known: Known = { port, arns, callbackIds, tokens }
  const lane = async (): Promise<void> => {
    while (next < to) {
      const number = next++
      const fuzz = draw(random, known)
      const answer = await send(fuzz, port)
      const problem = problemWith(fuzz, answer)
      learnToken(fuzz, answer)
      if (problem === undefined) answered++
      else {
        wrong.push({ number, problem, request: fuzz })
        say(`request ${number}: ${problem}\n  ${JSON.stringify(fuzz).slice(0, 400)}`)
      }
    }
  }
  await Promise.all(Array.from({ length: 8 }, lane))
}

const folder = mkdtempSync(join(tmpdir(), "effect-durable-fuzz-"))
console.log(`SEED=${seed}`)
await Effect.runPromise(
  Effect.scoped(
    Effect.gen(function* () {
      const { url } = yield* assemble({
        database: join(folder, "local.db"),
        host: "127.0.0.1",
        port: 0,
        functions: () => Effect.succeed(functions)
      })
      const port = Number(new URL(url).port)
      const half = Math.floor(requests / 2)
      yield* Effect.promise(() => bombard(port, 0, half))
      const before = heap()
      yield* Effect.promise(() => bombard(port, half, requests))
      const grown = (heap() - before) / 2 ** 20
      say(`The heap changed by ${grown.toFixed(1)} MiB in the second half.`)
      if (grown > 64)
        wrong.push({ number: requests, problem: `the heap grew by ${grown} MiB`, request: { _tag: "Bytes", text: "" } })
      agent.destroy()
    })
  )
)
rmSync(folder, { recursive: true, force: true })
if (values.json) console.log(JSON.stringify({ seed, answered, wrong }))
console.log(`${answered} answered, ${wrong.length} wrong`)
process.exitCode = wrong.length === 0 ? 0 : 1
