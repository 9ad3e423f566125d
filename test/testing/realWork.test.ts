/**
 * What the engine knows of real work: each row of the table in docs/testing.md has its program here, by its name.
 *
 * Each runs in a step under a time-out of ten virtual seconds. Real work has to be done before that, however long it takes;
 * where nothing goes on, the time-out has to strike, and not to wait until the patience of the engine ends.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { execFile } from "node:child_process"
import { pbkdf2, pbkdf2Sync, randomFillSync, scrypt, webcrypto } from "node:crypto"
import { lookup } from "node:dns"
import { readFile } from "node:fs/promises"
import { Agent, createServer, get, type RequestListener, type Server } from "node:http"
import { connect, createServer as createSocketServer, type Socket } from "node:net"
import process from "node:process"
import { MessageChannel, Worker } from "node:worker_threads"
import { gzip, gzipSync } from "node:zlib"
import { read } from "../docs/blocks.ts"

const Work = DurableFunction.make("work", { success: Schema.String })

/** How a step ends that gives work ten seconds, and what stands before it. */
const endOf = (work: Effect.Effect<unknown>, before: Effect.Effect<unknown, never, Durable.Execution> = Effect.void) =>
  TestEngine.run(Work).pipe(
    Effect.provide(
      TestEngine.layer([
        Work.implement(() =>
          Effect.andThen(
            before,
            Durable.step(
              "work",
              Effect.map(Effect.timeoutOption(work, "10 seconds"), ({ _tag }) =>
                _tag === "Some" ? "done" : "time-out"
              )
            )
          )
        )
      ])
    ),
    Effect.orDie
  )

const promise = <A>(make: () => PromiseLike<A>): Effect.Effect<A> => Effect.promise(make)

const called = (start: (done: () => void) => unknown): Effect.Effect<void> =>
  promise(() => new Promise<void>((resolve) => void start(resolve)))

/** Nothing will settle it. */
const hopeless = promise(() => new Promise<void>(() => {}))

const listening = (server: Server | ReturnType<typeof createSocketServer>): Effect.Effect<number, never, Scope> =>
  Effect.acquireRelease(
    Effect.map(
      called((done) => server.listen(0, "127.0.0.1", done)),
      () => {
        const address = server.address()
        assert(address !== null && typeof address !== "string", "the server listens at no port")
        return address.port
      }
    ),
    () => called((done) => server.close(done))
  )

/** A server with a connection that stays. */
const serving = (answer: RequestListener) =>
  Effect.gen(function* () {
    const server = createServer({ keepAliveTimeout: 600_000 }, answer)
    const port = yield* listening(server)
    yield* Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections()))
    return { url: `http://127.0.0.1:${port}`, server }
  })

const afterAWhile = (action: () => void): void => void setTimeout(action, 100)
const slowly: RequestListener = (_, response) => afterAWhile(() => response.end("hi"))
const inParts: RequestListener = (_, response) => {
  response.write("h")
  afterAWhile(() => response.end("i"))
}
const textOf = (url: string) => promise(() => fetch(url).then((response) => response.text()))

const echoing = `
const { parentPort } = require("node:worker_threads")
parentPort.on("message", (port) => setTimeout(() => (port?.postMessage ? port : parentPort).postMessage("back"), 100))
`
const worker = Effect.acquireRelease(
  Effect.flatMap(
    Effect.sync(() => new Worker(echoing, { eval: true })),
    (started) =>
      Effect.as(
        called((done) => started.once("online", done)),
        started
      )
  ),
  (started) => promise(() => started.terminate())
)

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- it is no window
const send = (started: Worker, message: string): void => started.postMessage(message)

type Program = Effect.Effect<string, never, Scope>

/** What has to be done before the time-out, because time stands still. */
const standsStill: Readonly<Record<string, Program>> = {
  "a timer of the process": endOf(called((done) => setTimeout(done, 100))),
  "an interval that it has started": endOf(
    called((done) => {
      let beats = 0
      const interval = setInterval(() => ++beats === 20 && (clearInterval(interval), done()), 5)
    })
  ),
  "reading a file": endOf(promise(() => readFile(import.meta.filename))),
  "a DNS lookup": endOf(called((done) => lookup("localhost", done))),
  "a request with `fetch`": Effect.flatMap(serving(slowly), ({ url }) => endOf(textOf(url))),
  "a response that arrives in parts": Effect.flatMap(serving(inParts), ({ url }) => endOf(textOf(url))),
  "a request with `node:http`": Effect.flatMap(serving(slowly), ({ url }) =>
    endOf(called((done) => get(url, (response) => response.on("end", done).resume())))
  ),
  "a connection opened before the step": Effect.gen(function* () {
    const port = yield* listening(
      createSocketServer((socket) => socket.on("data", () => afterAWhile(() => socket.end("hi"))))
    )
    const socket = yield* promise(
      () =>
        new Promise<Socket>((resolve) =>
          connect(port, "127.0.0.1", function (this: Socket) {
            resolve(this)
          })
        )
    )
    return yield* endOf(called((done) => socket.once("data", done).write("hello")))
  }),
  "a child process": endOf(called((done) => execFile(process.execPath, ["-e", "setTimeout(() => {}, 100)"], done))),
  "the thread pool, as with `node:crypto`": Effect.zipWith(
    endOf(called((done) => pbkdf2("a", "b", 200_000, 64, "sha512", done))),
    endOf(called((done) => scrypt("a", "b", 64, { N: 2 ** 14 }, done))),
    (one, other) => (one === other ? one : `${one}, ${other}`)
  ),
  WebCrypto: endOf(
    promise(async () => {
      const key = await webcrypto.subtle.importKey("raw", new Uint8Array(8), "PBKDF2", false, ["deriveBits"])
      const derived = { name: "PBKDF2", hash: "SHA-512", salt: new Uint8Array(8), iterations: 200_000 }
      return webcrypto.subtle.deriveBits(derived, key, 512)
    })
  ),
  "a compression with `node:zlib`": endOf(called((done) => gzip(new Uint8Array(20_000_000), done))),
  "a message of a worker": Effect.flatMap(worker, (started) =>
    endOf(called((done) => (started.once("message", done), send(started, "there"))))
  ),
  "a `MessagePort`, also with a callback": Effect.flatMap(worker, (started) =>
    endOf(
      Effect.callback<void>((resume) => {
        const { port1, port2 } = new MessageChannel()
        port1.once("message", () => (port1.close(), resume(Effect.void)))
        started.postMessage(port2, [port2])
      })
    )
  ),
  "a fiber that does any of these": endOf(
    Effect.flatMap(Effect.forkChild(called((done) => setTimeout(done, 100))), Fiber.join)
  )
}

/** What never ends, so that the time-out has to strike. */
const passes: Readonly<Record<string, Program>> = {
  "`Effect.never`, a Deferred, Queue, Latch or Semaphore": Effect.gen(function* () {
    const ends = yield* Effect.forEach(
      [
        Effect.never,
        Effect.flatMap(Deferred.make<void>(), Deferred.await),
        Effect.flatMap(Queue.unbounded<number>(), Queue.take),
        Effect.flatMap(Latch.make(), (latch) => latch.await),
        Effect.flatMap(Semaphore.make(0), (semaphore) => semaphore.withPermit(Effect.void))
      ],
      (work) => endOf(work)
    )
    return [...new Set(ends)].join()
  }),
  "a promise or callback that nothing will settle": Effect.zipWith(
    endOf(hopeless),
    endOf(Effect.callback<void>(() => {})),
    (one, other) => (one === other ? one : `${one}, ${other}`)
  ),
  "the same, beside an idle keep-alive connection": Effect.gen(function* () {
    const { server, url } = yield* serving((_, response) => response.end("hi"))
    const agent = new Agent({ keepAlive: true })
    yield* Effect.addFinalizer(() => Effect.sync(() => agent.destroy()))
    const kept = called((done) => get(url, { agent }, (response) => response.on("end", done).resume()))
    const ended = yield* endOf(hopeless, Durable.step("requests", Effect.andThen(textOf(url), kept)))
    const open = yield* promise(
      () => new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)))
    )
    assert.strictEqual(open, 2, "the connections were closed before time went on")
    return ended
  }),
  "the same, beside an interval that nothing clears": Effect.gen(function* () {
    const intervals: Array<NodeJS.Timeout> = []
    yield* Effect.addFinalizer(() => Effect.sync(() => intervals.forEach(clearInterval)))
    const forget = Effect.sync(() => void intervals.push(setInterval(() => {}, 5)))
    return yield* endOf(Effect.andThen(forget, hopeless), Durable.step("forgets", forget))
  }),
  "the same, beside a timer after `unref`": endOf(
    hopeless,
    Durable.step(
      "sets a timer",
      Effect.sync(() => void setTimeout(() => {}, 600_000).unref())
    )
  ),
  "the same, beside a listening server": Effect.flatMap(serving(slowly), () => endOf(hopeless)),
  "the same, beside a worker that has answered": Effect.flatMap(worker, (started) =>
    endOf(
      hopeless,
      Durable.step(
        "asks",
        called((done) => (started.once("message", done), send(started, "there")))
      )
    )
  ),
  "the same, after a synchronous computation": endOf(
    hopeless,
    Durable.step(
      "computes",
      Effect.sync(() => {
        pbkdf2Sync("a", "b", 10, 64, "sha512")
        randomFillSync(new Uint8Array(8))
        console.log(`printed by ${Array.from({ length: 300 }, () => webcrypto.randomUUID()).at(-1)}`)
        gzipSync(new Uint8Array(1_000))
      })
    )
  ),
  "the same, beside another test engine that does real work": Effect.gen(function* () {
    let release = (): void => {}
    const { url } = yield* serving((_, response) => void (release = () => response.end("hi")))
    const other = yield* Effect.forkChild(endOf(textOf(url)))
    const ended = yield* endOf(hopeless)
    release()
    assert.strictEqual(yield* Fiber.join(other), "done")
    return ended
  })
}

/** The rows of the table: what a step waits for, and what virtual time does. */
const rows = read("docs/testing.md")
  .split("\n")
  .flatMap((line) => {
    const [, what = "", time = ""] = /^\| (.+?) +\| (stands still|passes) +\|$/.exec(line) ?? []
    return what === "" ? [] : [[what, time] as const]
  })

describe("while a step waits under a time-out, virtual time", () => {
  it("is said to do what is tried here", () => {
    assert.deepStrictEqual(rows, [
      ...Object.keys(standsStill).map((what) => [what, "stands still"] as const),
      ...Object.keys(passes).map((what) => [what, "passes"] as const)
    ])
  })

  for (const [what, program] of Object.entries(standsStill)) {
    it.live(`stands still for ${what}`, () =>
      Effect.scoped(Effect.map(program, (ended) => assert.strictEqual(ended, "done")))
    )
  }

  for (const [what, program] of Object.entries(passes)) {
    it.live(`passes for ${what}`, () =>
      Effect.scoped(Effect.map(program, (ended) => assert.strictEqual(ended, "time-out")))
    )
  }
})
