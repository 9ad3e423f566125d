/**
 * The web page of the engine: everything under `/_ui/`, for people in a browser.
 *
 * Owns: its routes, the headers of its answers, and permission to change state through it.
 * Does not own: access to the engine, the content of pages, and the actions.
 *
 * Invariants:
 * 1. Every answer forbids the browser to load, run or frame anything from another origin, and to guess types.
 * 2. Only a request with a secret of a page of this engine changes state. It carries the secret in a header that no form can
 *    send, and in a cookie that the browser does not send for other sites.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Result from "effect/Result"
import { randomBytes, timingSafeEqual } from "node:crypto"
import type { Refused } from "../../engine/Service.ts"
import * as Limits from "../../wire/Limits.ts"
import type { Functions } from "../Functions.ts"
import { bodyOf, identified, type Pages } from "../Http.ts"
import type { Machine } from "../Machine.ts"
import { StorageError } from "../Sqlite.ts"
import { carryOut, type Order } from "./actions.ts"
import { assets } from "./assets.ts"
import { layout, notice, type Page } from "./layout.ts"
import { changes } from "./Live.ts"
import { pageOf, type Sources } from "./pages.ts"
import { Snapshots } from "./Snapshot.ts"

export interface UiOptions {
  readonly machine: Machine
  readonly functions: Functions
  /** The file of the database, shown to people. */
  readonly database: string
}

type Answer = HttpServerResponse.HttpServerResponse

/** Returns the pages of an engine. */
export const ui = ({ database, functions, machine }: UiOptions): Pages => {
  const frame = { database, token: randomBytes(32).toString("base64url"), engine: randomBytes(8).toString("hex") }
  const sources: Sources = { machine, functions, snapshots: new Snapshots(machine) }
  return (port) => {
    const cookie = `effect-durable-${port}`
    const show = (page: Page, status = 200): Answer =>
      answer(layout(frame, page).text, "text/html; charset=utf-8", status, {
        "cache-control": "no-store",
        "set-cookie": `${cookie}=${frame.token}; Path=/_ui/; HttpOnly; SameSite=Strict`
      })
    return (request) => {
      const [pathname = "", search] = request.url.split(/\?(.*)/s)
      const searchParams = new URLSearchParams(search)
      if (pathname === "/" || pathname === "/_ui") {
        return isBrowser(request)
          ? Effect.succeed(HttpServerResponse.redirect("/_ui/", { headers: common() }))
          : undefined
      }
      if (!pathname.startsWith("/_ui/")) return undefined
      const path = segmentsOf(pathname)
      const served = Effect.suspend(() => {
        if (path === undefined) return Effect.succeed(show(notFound, 404))
        if (request.method === "POST") return act(machine, request, path, isFromHere(request, cookie, frame.token))
        if (request.method !== "GET")
          return Effect.succeed(refused(405, "MethodNotAllowedException", "There are pages to GET here."))
        const stream = streamOf(machine, frame.engine, path, searchParams)
        if (stream !== undefined) return Effect.succeed(stream)
        const fixed = path.length === 1 ? assets.get(path[0] ?? "") : undefined
        if (fixed !== undefined)
          return Effect.succeed(answer(fixed.text, fixed.type, 200, { "cache-control": "no-cache" }))
        const found = pageOf(sources, path, searchParams)
        if (found === undefined) return Effect.succeed(show(notFound, 404))
        return Effect.succeed("text" in found ? answer(found.text, "text/plain; charset=utf-8") : show(found))
      })
      return Effect.catchCause(served, (cause) =>
        Cause.hasInterruptsOnly(cause) ? Effect.orDie(Effect.failCause(cause)) : broken(cause, show)
      )
    }
  }
}

const notFound = notice(
  "Not here",
  "There is no such page, or no such execution. It may be older than the engine keeps them."
)

const isBrowser = ({ headers, method }: HttpServerRequest): boolean =>
  method === "GET" && (headers["accept"] ?? "").includes("text/html")

/** Returns the segments of a path after `/_ui/`, or nothing if it is malformed. */
const segmentsOf = (pathname: string): ReadonlyArray<string> | undefined => {
  try {
    return pathname.slice("/_ui/".length).split("/").map(decodeURIComponent)
  } catch {
    return undefined
  }
}

const streamOf = (
  machine: Machine,
  engine: string,
  path: ReadonlyArray<string>,
  parameters: URLSearchParams
): Answer | undefined => {
  if (path.length !== 1 || path[0] !== "events") return undefined
  return HttpServerResponse.raw(changes(machine, engine, parameters.get("execution") ?? undefined), {
    headers: { ...common(), "content-type": "text/event-stream", "cache-control": "no-store" }
  })
}

// --- Changes -------------------------------------------------------------------------------------------------------------

/** Room for a payload of the largest size, as a form encodes it. */
const maxBytes = Limits.maxWirePayload + 64 * 1_024

const act = (
  machine: Machine,
  request: HttpServerRequest,
  path: ReadonlyArray<string>,
  isFromHere: boolean
): Effect.Effect<Answer> => {
  if (!isFromHere) {
    return Effect.succeed(
      refused(
        403,
        "AccessDeniedException",
        "Only a page of this engine may change something. Reload the page, with scripts allowed."
      )
    )
  }
  return bodyOf(request, maxBytes).pipe(
    Effect.map((body) => {
      const order = orderOf(path)
      const done = order === undefined ? undefined : carryOut(machine, order, body)
      if (done === undefined) return refused(404, "UnknownOperationException", "There is no such action.")
      return Result.isSuccess(done) ? told(done.success) : refusedAs(done.failure)
    }),
    Effect.catch((error) => Effect.succeed(refusedAs(error)))
  )
}

const orderOf = (path: ReadonlyArray<string>): Order | undefined => {
  const [kind, name, third = "", operationId, what] = path
  if (path.length === 1 && kind === "start") return { what: kind }
  if (kind !== "executions") return undefined
  if (path.length === 3) return { name, what: third }
  return path.length === 5 && third === "callbacks" && what !== undefined ? { name, operationId, what } : undefined
}

const isFromHere = ({ headers }: HttpServerRequest, cookie: string, token: string): boolean =>
  isSame(headers["x-effect-durable-token"], token) &&
  (headers["cookie"] ?? "").split(/;\s*/).some((one) => isSame(one, `${cookie}=${token}`))

const isSame = (found: string | undefined, expected: string): boolean => {
  const [a, b] = [Buffer.from(found ?? ""), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}

// --- Answers -------------------------------------------------------------------------------------------------------------

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

const common = (): Readonly<Record<string, string>> => ({
  ...identified(),
  "content-security-policy": policy,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin"
})

const answer = (
  text: string,
  contentType: string,
  status = 200,
  headers: Readonly<Record<string, string>> = { "cache-control": "no-store" }
): Answer => HttpServerResponse.text(text, { status, contentType, headers: { ...common(), ...headers } })

const told = (body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Answer =>
  answer(JSON.stringify(body), "application/json", status, { "cache-control": "no-store", ...headers })

const refused = (status: number, name: string, message: string): Answer =>
  told({ message }, status, { "x-amzn-errortype": name })

const refusedAs = ({ exception, message, status }: Refused): Answer => refused(status, exception, message)

/** Returns the answer to a failure. Details are logged; only a problem of the database is also shown to the user. */
const broken = (cause: Cause.Cause<unknown>, show: (page: Page, status: number) => Answer): Effect.Effect<Answer> => {
  const error = Cause.squash(cause)
  const message = error instanceof StorageError ? error.message : "The engine failed. Its log says how."
  return Effect.as(
    Effect.logError("A page failed", error instanceof Error ? (error.stack ?? error.message) : String(error)),
    HttpServerResponse.setHeader(
      show(notice("This did not work", message), 500),
      "x-amzn-errortype",
      "ServiceException"
    )
  )
}
