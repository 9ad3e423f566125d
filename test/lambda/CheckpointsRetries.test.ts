import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore, Durable } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Operation } from "../../src/wire/Operation.ts"
import type { OperationUpdate } from "../../src/wire/OperationUpdate.ts"
import { eventOf, firstToken, invokeOver, messageOf } from "./invocations.ts"
import { isState, loopback, queryOf, refusal, type Received, type Reply } from "./loopback.ts"
import { transports } from "./transports.ts"

const program = Effect.gen(function* () {
  const a = yield* Durable.step("a", Effect.succeed("first"))
  const b = yield* Durable.step("b", Effect.succeed("second"))
  return [a, b]
})

interface Body {
  readonly CheckpointToken: string
  readonly ClientToken: string
  readonly Updates: ReadonlyArray<OperationUpdate>
}

const bodyOf = (request: Received): Body => JSON.parse(request.body)

/** A service with a chain of tokens, which applies a repeated request once. */
const makeService = () => {
  const answered = new Map<string, Reply>()
  const operations = new Map<string, Operation>()
  let token = firstToken
  const applied: Array<string> = []
  return {
    applied,
    respond: (request: Received): Reply => {
      const { CheckpointToken, ClientToken, Updates } = bodyOf(request)
      const before = answered.get(ClientToken)
      if (before !== undefined) return before
      if (CheckpointToken !== token) return refusal("InvalidParameterValueException", "Invalid checkpoint token")
      for (const update of Updates) {
        applied.push(`${update.Action} ${update.Name ?? ""}`)
        const outcome = update.Action === "SUCCEED" ? { Status: "SUCCEEDED", EndTimestamp: 2.5 } : { Status: "STARTED" }
        operations.set(update.Id, { Id: update.Id, Type: update.Type, StartTimestamp: 1.5, ...outcome })
      }
      token = `dG9rZW4t${applied.length}${answered.size}`
      const reply = {
        body: { CheckpointToken: token, NewExecutionState: { Operations: [...operations.values()] } }
      }
      answered.set(ClientToken, reply)
      return reply
    }
  }
}

const results = { Status: "SUCCEEDED", Result: '["first","second"]' } as const
const once = ["START a", "SUCCEED a", "START b", "SUCCEED b"]

const updatesOf = (request: Received) => bodyOf(request).Updates

const until = (holds: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() =>
    holds()
      ? Effect.void
      : Effect.andThen(
          Effect.promise(() => new Promise((resolve) => setImmediate(resolve))),
          until(holds)
        )
  )

for (const transport of transports) {
  describe(transport.name, () => {
    describe("A checkpoint whose answer is lost is applied once", () => {
      for (const [who, maxAttempts] of [
        ["when the client repeats it", 3],
        ["when we repeat it", 1]
      ] as const) {
        it.live(who, () =>
          Effect.gen(function* () {
            const service = makeService()
            const { answer, requests } = yield* invokeOver(
              transport,
              program,
              (request, count) => {
                const reply = service.respond(request)
                return count === 1 || count === 4 ? "reset" : reply
              },
              { client: { maxAttempts } }
            )
            assert.deepStrictEqual(answer, results)
            assert.deepStrictEqual(service.applied, once)
            const [first, second, third] = requests
            assert.strictEqual(first?.body, second?.body)
            assert.notStrictEqual(bodyOf(first!).ClientToken, bodyOf(third!).ClientToken)
            const calls = requests.map(({ headers }) => headers["amz-sdk-invocation-id"])
            assert.strictEqual(calls[0] === calls[1], maxAttempts === 3)
          })
        )
      }

      it.live("when both repeat it, through 500, 429 and broken connections", () =>
        Effect.gen(function* () {
          const service = makeService()
          const outage: ReadonlyArray<Reply> = [
            refusal("ServiceException", "oops"),
            "reset",
            { status: 503, body: "" },
            refusal("ServiceException", "oops"),
            "reset"
          ]
          const { answer, requests } = yield* invokeOver(
            transport,
            program,
            (request, count) => {
              const reply = service.respond(request)
              return outage[count - 1] ?? reply
            },
            { client: { maxAttempts: 3 } }
          )
          assert.deepStrictEqual(answer, results)
          assert.deepStrictEqual(service.applied, once)
          assert.lengthOf(new Set(requests.slice(0, 6).map(({ body }) => body)), 1)
          assert.lengthOf(new Set(requests.slice(0, 6).map(({ headers }) => headers["amz-sdk-invocation-id"])), 2)
        })
      )
    })

    describe("The state comes in pages", () => {
      const step = (id: string, name: string): Operation => ({
        Id: id,
        Type: "STEP",
        SubType: "Step",
        Name: name,
        Status: "SUCCEEDED",
        StartTimestamp: 1,
        EndTimestamp: 2,
        StepDetails: { Attempt: 1, Result: '"recorded"' }
      })
      const names = Array.from({ length: 60 }, (_, i) => `s${i}`)
      const steps = Effect.forEach(names, (name) => Durable.step(name, Effect.die(`${name} ran again`)))

      it.live("all of them are read before the workflow runs", () =>
        Effect.gen(function* () {
          // The first run tells which ids the steps have.
          const service = makeService()
          const first = yield* invokeOver(
            transport,
            Effect.asVoid(Effect.forEach(names, (name) => Durable.step(name, Effect.succeed("recorded")))),
            service.respond
          )
          assert.strictEqual(first.answer?.Status, "SUCCEEDED", messageOf(first))
          const ids = new Map(first.requests.flatMap(updatesOf).map(({ Id, Name }) => [Name ?? "", Id]))
          const operations = names.map((name) => step(ids.get(name) ?? "", name))
          const pages = Array.from({ length: 20 }, (_, i) => operations.slice(i * 3, i * 3 + 3))

          const { answer, requests } = yield* invokeOver(
            transport,
            steps,
            (request) => {
              const page = Number(queryOf(request)["Marker"]?.slice("page ".length))
              return { body: { Operations: pages[page], ...(page < 19 && { NextMarker: `page ${page + 1}` }) } }
            },
            { event: eventOf([], "page 0") }
          )
          assert.deepStrictEqual(answer, { Status: "SUCCEEDED", Result: JSON.stringify(names.map(() => "recorded")) })
          assert.deepStrictEqual(
            requests.map(queryOf),
            pages.map((_, i) => ({ CheckpointToken: firstToken, Marker: `page ${i}`, MaxItems: "1000" }))
          )
        })
      )

      it.live(
        "the pages that an answer to a checkpoint announces are read with the new token, before anybody goes on",
        () =>
          Effect.gen(function* () {
            const service = makeService()
            let latest: { readonly token: string; readonly operations: ReadonlyArray<unknown> } | undefined
            const { answer, requests } = yield* invokeOver(transport, program, (request) => {
              if (isState(request)) {
                const { CheckpointToken, Marker } = queryOf(request)
                assert.strictEqual(CheckpointToken, latest?.token)
                const index = Number(Marker)
                const more = index + 1 < (latest?.operations.length ?? 0)
                return { body: { Operations: [latest?.operations[index]], NextMarker: more ? String(index + 1) : "" } }
              }
              const reply = service.respond(request)
              const body = typeof reply === "object" ? JSON.parse(JSON.stringify(reply.body)) : {}
              latest = { token: body.CheckpointToken, operations: body.NewExecutionState.Operations }
              return {
                body: { CheckpointToken: body.CheckpointToken, NewExecutionState: { Operations: [], NextMarker: "0" } }
              }
            })
            assert.deepStrictEqual(answer, results)
            assert.deepStrictEqual(service.applied, once)
            assert.deepStrictEqual(
              requests.map((request) => (isState(request) ? (queryOf(request)["Marker"] ?? "") : "checkpoint")),
              ["checkpoint", "0", "checkpoint", "0", "1"]
            )
          })
      )
    })

    describe("A request that is given up", () => {
      it.live("lets go of its connection", () =>
        Effect.scoped(
          Effect.gen(function* () {
            const server = yield* loopback(() => "silence")
            const fiber = yield* Effect.flatMap(CheckpointStore.CheckpointStore, (store) =>
              store.loadState({ DurableExecutionArn: "a", CheckpointToken: "t", Marker: "m", MaxItems: 1 })
            ).pipe(Effect.provide(transport.checkpoints(server)), Effect.forkChild)
            yield* until(() => server.requests.length === 1)
            yield* Fiber.interrupt(fiber)
            yield* until(() => server.abandoned() === 1)
            assert.lengthOf(server.requests, 1)
          })
        )
      )
    })
  })
}
