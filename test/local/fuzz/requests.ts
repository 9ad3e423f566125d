/**
 * Requests that `npm run fuzz:http` sends: some as a client of AWS sends them, most spoiled in one way or another, some no
 * HTTP at all. A seed decides all of them.
 */
import { routes } from "../../../src/wire/Api.ts"
import { signature } from "../support.ts"

/** Numbers from 0 to 1 that a seed decides. */
export type Random = () => number

/** What a fuzzer knows of the engine, so that not everything misses. */
export interface Known {
  readonly port: number
  readonly arns: ReadonlyArray<string>
  readonly callbackIds: ReadonlyArray<string>
  readonly tokens: ReadonlyMap<string, string>
}

export type Fuzz =
  | {
      readonly _tag: "Http"
      readonly method: string
      readonly path: string
      readonly headers: Readonly<Record<string, string>>
      readonly body: string | undefined
    }
  | { readonly _tag: "Bytes"; readonly text: string }

export const pick = <A>(random: Random, items: ReadonlyArray<A>): A | undefined =>
  items[Math.floor(random() * items.length)]

const chance = (random: Random, of: number): boolean => random() < of

const strange = [
  "",
  " ",
  "\u0000",
  "a".repeat(5_000),
  "ü€😀",
  "%",
  "%00",
  "%E0%A4%A",
  "..",
  "../../etc/passwd",
  "'; drop table executions; --",
  "__proto__",
  "constructor",
  "-1",
  "NaN",
  "null",
  "arn:aws:lambda:us-east-1:123456789012:function:orders:$LATEST/durable-execution/x/y",
  "1e999",
  "\ud800"
] as const

const text = (random: Random): string => pick(random, strange) ?? ""

/** JSON of any shape, sometimes deep. */
const anything = (random: Random, depth = 0): unknown => {
  const kind = Math.floor(random() * (depth > 3 ? 5 : 7))
  switch (kind) {
    case 0:
      return null
    case 1:
      return random() * 1e9 - 5e8
    case 2:
      return chance(random, 0.5)
    case 3:
      return text(random)
    case 4:
      return Math.floor(random() * 100)
    case 5:
      return Array.from({ length: Math.floor(random() * 4) }, () => anything(random, depth + 1))
    default:
      return Object.fromEntries(
        Array.from({ length: Math.floor(random() * 4) }, () => [text(random), anything(random, depth + 1)])
      )
  }
}

const types = ["STEP", "WAIT", "CALLBACK", "CONTEXT", "CHAINED_INVOKE", "EXECUTION", "OTHER"]
const actions = ["START", "SUCCEED", "FAIL", "RETRY", "CANCEL", "OTHER"]

const update = (random: Random): unknown => {
  const whole: Record<string, unknown> = {
    Id: `o${Math.floor(random() * 12)}`,
    Type: pick(random, types),
    Action: pick(random, actions),
    SubType: "Step",
    Name: "name",
    Payload: chance(random, 0.5) ? "1" : undefined,
    Error: chance(random, 0.2) ? { ErrorType: "E", ErrorMessage: "m" } : undefined,
    StepOptions: { NextAttemptDelaySeconds: 1 + Math.floor(random() * 5) },
    WaitOptions: { WaitSeconds: 1 + Math.floor(random() * 5) },
    CallbackOptions: { TimeoutSeconds: 5 },
    ChainedInvokeOptions: { FunctionName: pick(random, ["email", "payments:$LATEST", "nobody"]) }
  }
  if (chance(random, 0.3)) whole[pick(random, Object.keys(whole)) ?? "Id"] = anything(random)
  return whole
}

const checkpointBody = (random: Random, token: string | undefined): string =>
  JSON.stringify({
    CheckpointToken: chance(random, 0.8) ? token : anything(random),
    Updates: chance(random, 0.9)
      ? Array.from({ length: Math.floor(random() * 5) }, () => update(random))
      : anything(random),
    ClientToken: chance(random, 0.3) ? `client-${Math.floor(random() * 1e6)}` : undefined
  })

const bodyFor = (random: Random, operation: string, label: string, known: Known): string | undefined => {
  if (chance(random, 0.1)) return pick(random, ["{", "[1,", "\ufeff{}", "nul", "x".repeat(300_000)])
  switch (operation) {
    case "CheckpointDurableExecution":
      return checkpointBody(random, known.tokens.get(label))
    case "Invoke":
      return JSON.stringify(chance(random, 0.5) ? { id: Math.floor(random() * 1e6) } : anything(random))
    case "SendDurableExecutionCallbackSuccess":
      return text(random)
    case "SendDurableExecutionCallbackFailure":
    case "StopDurableExecution":
      return JSON.stringify(chance(random, 0.5) ? { ErrorType: "E", ErrorMessage: "m" } : anything(random))
    default:
      return undefined
  }
}

const labelFor = (random: Random, operation: string, known: Known): string => {
  if (chance(random, 0.15)) return text(random)
  if (operation === "Invoke" || operation.startsWith("List")) {
    return pick(random, ["orders:$LATEST", "orders", "payments:live", "email", "other", "nobody:1"]) ?? ""
  }
  const labels = operation.includes("Callback") ? known.callbackIds : known.arns
  return pick(random, labels) ?? "unknown"
}

const queryKeys = [
  "MaxItems",
  "Marker",
  "ReverseOrder",
  "IncludeExecutionData",
  "Statuses",
  "Qualifier",
  "CheckpointToken"
]

const queryFor = (random: Random, label: string, known: Known): string => {
  const pairs = Array.from({ length: Math.floor(random() * 3) }, () => {
    const key = pick(random, queryKeys) ?? ""
    const value = pick(random, ["1", "100", "true", "false", "RUNNING", known.tokens.get(label) ?? "", text(random)])
    return `${key}=${encodeURIComponent((value ?? "").toWellFormed())}`
  })
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`
}

const headersFor = (random: Random, { port }: Known): Record<string, string> => {
  const headers: Record<string, string> = { authorization: signature, host: `127.0.0.1:${port}` }
  if (chance(random, 0.05)) delete headers["authorization"]
  if (chance(random, 0.05)) headers["host"] = "evil.example"
  if (chance(random, 0.05)) headers["origin"] = "https://evil.example"
  if (chance(random, 0.05)) headers["sec-fetch-site"] = "cross-site"
  if (chance(random, 0.1)) headers["content-type"] = pick(random, ["text/plain", "application/json; charset=x"]) ?? ""
  if (chance(random, 0.05)) headers["x-amz-client-context"] = "bm9uc2Vuc2U="
  if (chance(random, 0.05)) headers["x-amz-tenant-id"] = "tenant one"
  return headers
}

const likeAws = (random: Random, known: Known): Fuzz => {
  const [operation = "", route] = pick(random, Object.entries(routes)) ?? []
  const label = labelFor(random, operation, known)
  const path = (route?.path ?? "/").replace(/\{\w+\}/, () => encodeURIComponent(label.toWellFormed()))
  const headers = headersFor(random, known)
  if (operation === "Invoke") {
    // Whoever waits for "orders" waits until it is ended, and nobody here does.
    headers["x-amz-invocation-type"] = pick(random, ["Event", "Event", "DryRun", "Other"]) ?? ""
    if (chance(random, 0.3)) headers["x-amz-durable-execution-name"] = `name-${Math.floor(random() * 50)}`
    if (/^(payments|email|other)/.test(label)) delete headers["x-amz-invocation-type"]
  }
  return {
    _tag: "Http",
    method: chance(random, 0.95)
      ? (route?.method ?? "GET")
      : (pick(random, ["PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"]) ?? ""),
    path: `${path}${queryFor(random, label, known)}`,
    headers,
    body: bodyFor(random, operation, label, known)
  }
}

const elsewhere = (random: Random, known: Known): Fuzz => ({
  _tag: "Http",
  method: pick(random, ["GET", "POST", "PUT", "DELETE"]) ?? "GET",
  path:
    pick(random, [
      "/",
      "//",
      "/2025-12-01/durable-executions",
      "/2025-12-01//durable-executions//x",
      "/2015-03-31/functions/",
      "/2018-06-01/runtime/invocation/next",
      "/?x=%E0%A4%A",
      `/${"a/".repeat(500)}`,
      `/${"%61".repeat(2_000)}`
    ]) ?? "/",
  headers: headersFor(random, known),
  body: chance(random, 0.5) ? text(random) : undefined
})

/** As a browser asks for pages, and as a page of somebody else would try to change something. Streams of changes do not end. */
const toPages = (random: Random, known: Known): Fuzz => {
  const name = encodeURIComponent(
    (chance(random, 0.7) ? `name-${Math.floor(random() * 50)}` : text(random)).toWellFormed()
  )
  const place = pick(random, [
    "",
    "style.css",
    "client.js",
    `executions/${name}`,
    `executions/${name}/payload`,
    `executions/${name}/stop`,
    `executions/${name}/again`,
    `executions/${name}/callbacks/${encodeURIComponent(pick(random, known.callbackIds) ?? "none")}/succeed`,
    "start",
    "%",
    "..%2f..%2fpackage.json",
    `${text(random).replaceAll(/[^\w%./]/g, "")}/x`
  ])
  const keys = ["function", "status", "name", "before", "after", "op", "view", "scale", "from", "what"]
  const pairs = Array.from({ length: Math.floor(random() * 4) }, () => {
    const value = pick(random, ["events", "invocations", "RUNNING", "1", "99999999999999999999", text(random)]) ?? ""
    return `${pick(random, keys)}=${encodeURIComponent(value.toWellFormed())}`
  })
  const headers = headersFor(random, known)
  if (chance(random, 0.3)) headers["x-effect-durable-token"] = "a".repeat(43)
  if (chance(random, 0.3)) headers["cookie"] = `effect-durable-${known.port}=${"a".repeat(43)}`
  return {
    _tag: "Http",
    method: pick(random, ["GET", "GET", "GET", "POST", "PUT", "DELETE"]) ?? "GET",
    path: `/_ui/${place}?${pairs.join("&")}`,
    headers,
    body: chance(random, 0.3) ? JSON.stringify(anything(random)) : undefined
  }
}

const noHttp = (random: Random, { port }: Known): Fuzz => {
  const host = `host: 127.0.0.1:${port}\r\nauthorization: ${signature}\r\nconnection: close\r\n`
  const texts = [
    "\r\n\r\nnonsense\r\n\r\n",
    "GET / HTTP/9.9\r\n\r\n",
    `GET / HTTP/1.1\r\nbad header\r\n\r\n`,
    `GET /\u0001 HTTP/1.1\r\n${host}\r\n`,
    `POST / HTTP/1.1\r\n${host}content-length: -5\r\n\r\n`,
    `POST / HTTP/1.1\r\n${host}content-length: 5\r\ncontent-length: 6\r\n\r\nhello`,
    `POST / HTTP/1.1\r\n${host}transfer-encoding: chunked\r\n\r\nZZ\r\n`,
    `GET / HTTP/1.1\r\nx: ${"y".repeat(40_000)}\r\n\r\n`,
    String.fromCharCode(...Array.from({ length: 60 }, () => 33 + Math.floor(random() * 90))) + "\r\n\r\n"
  ]
  return { _tag: "Bytes", text: pick(random, texts) ?? "" }
}

/** The next request. */
export const draw = (random: Random, known: Known): Fuzz => {
  const kind = random()
  if (kind < 0.75) return likeAws(random, known)
  if (kind < 0.85) return toPages(random, known)
  return kind < 0.95 ? elsewhere(random, known) : noHttp(random, known)
}
