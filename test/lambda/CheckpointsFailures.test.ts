import { assert, describe, it } from "@effect/vitest"
import { Durable } from "effect-durable"
import * as Effect from "effect/Effect"
import { eventOf, firstToken, invokeOver, messageOf, type Ended } from "./invocations.ts"
import { isState, refusal, type Reply } from "./loopback.ts"
import { transports } from "./transports.ts"

const secretPayload = "the-secret-of-the-parcel"
const nextToken = "bmV4dC10b2tlbi1vZi10aGUtY2hhaW4="

const program = Effect.andThen(
  Durable.step("a", Effect.succeed(secretPayload)),
  Durable.step("b", Effect.succeed("second"))
)

const assertQuiet = (ended: Ended): void => {
  const message = messageOf(ended)
  for (const secret of [firstToken, nextToken]) {
    assert.notInclude(message, secret)
    assert.notInclude(message, encodeURIComponent(secret))
  }
  assert.notInclude(message, secretPayload)
  assert.isBelow(message.length, 800)
}

const awsSays = (status: number, name: string, message: string): Reply => ({
  status,
  headers: { "x-amzn-errortype": `${name}:http://internal.amazon.com/coral/` },
  body: { message }
})

for (const transport of transports) {
  describe(transport.name, () => {
    /** The service says no to the first call of this kind, and goes on doing so. */
    const refused = {
      checkpoint: (reply: Reply) => invokeOver(transport, program, () => reply),
      state: (reply: Reply) => invokeOver(transport, program, () => reply, { event: eventOf([], "page-2") }),
      "a page of the new state": (reply: Reply) =>
        invokeOver(transport, program, (request) =>
          isState(request)
            ? reply
            : { body: { CheckpointToken: nextToken, NewExecutionState: { NextMarker: "page-2" } } }
        )
    } as const

    for (const [place, call] of Object.entries(refused)) {
      const [before, token] = place === "a page of the new state" ? [1, nextToken] : [0, firstToken]

      describe(`A stale token at ${place} fails the invocation at once`, () => {
        for (const [name, reply] of Object.entries<Reply>({
          "as the service says it": refusal("InvalidParameterValueException", "Invalid Checkpoint Token"),
          "in lower case": refusal("InvalidParameterValueException", "Invalid checkpoint token: it was used"),
          "from an emulator that misplaces the name": {
            status: 400,
            body: { Type: "InvalidParameterValueException", message: "Invalid checkpoint token" }
          },
          "with the token in it": refusal("InvalidParameterValueException", `Invalid checkpoint token ${token}`)
        })) {
          it.live(name, () =>
            Effect.gen(function* () {
              const ended = yield* call(reply)
              assert.isUndefined(ended.answer)
              assert.strictEqual(ended.failure?.reason, "stale-token")
              assert.lengthOf(ended.requests, before + 1)
              assertQuiet(ended)
            })
          )
        }
      })

      describe.concurrent(`An outage at ${place} fails the invocation after five tries`, () => {
        for (const [name, reply] of Object.entries<Reply>({
          "429": refusal("TooManyRequestsException", "Rate exceeded"),
          "500": refusal("ServiceException", "internal error"),
          "503 without a body": { status: 503, body: "" },
          "502 of a proxy, in HTML": {
            status: 502,
            headers: { "content-type": "text/html" },
            body: "<h1>Bad gateway</h1>"
          },
          "a connection that breaks": "reset",
          "a connection that breaks within an answer": "cut",
          "200 in HTML": { headers: { "content-type": "text/html" }, body: `<h1>${token}</h1>` },
          "200 with JSON that is cut": { body: `{"Operations":[{"Id":"s1","Payload":"${secretPayload}` },
          "200 with text for operations": {
            body: {
              CheckpointToken: "dA==",
              Operations: secretPayload,
              NewExecutionState: { Operations: secretPayload }
            }
          },
          "200 with operations that are none": {
            body: {
              CheckpointToken: "dA==",
              Operations: [{ Id: secretPayload }],
              NewExecutionState: { Operations: [{ Id: 7 }] }
            }
          },
          "200 with text for a time": {
            body: {
              CheckpointToken: "dA==",
              Operations: [{ Id: "s", Type: "STEP", Status: "READY", StartTimestamp: secretPayload }],
              NewExecutionState: { Operations: [{ Id: "s", Type: "STEP", Status: "READY", StartTimestamp: "soon" }] }
            }
          }
        })) {
          it.live(name, () =>
            Effect.gen(function* () {
              const ended = yield* call(reply)
              assert.isUndefined(ended.answer)
              assert.strictEqual(ended.failure?.reason, "store-unavailable", messageOf(ended))
              assert.isAtLeast(ended.requests.length, before + 5)
              assertQuiet(ended)
            })
          )
        }
      })

      describe(`A refusal at ${place} fails the execution`, () => {
        const signature = [
          "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key.",
          "",
          "The Canonical String for this request should have been",
          `'GET /state CheckpointToken=${encodeURIComponent(token)} x-amz-security-token:session-secret'`
        ].join("\n")
        for (const [name, reply] of Object.entries<Reply>({
          "400": refusal("InvalidParameterValueException", "Invalid parent operation id."),
          "400 that quotes what it refuses": awsSays(
            400,
            "InvalidParameterValueException",
            `2 validation errors detected: Value '${token}' at 'checkpointToken' failed to satisfy constraint; Value '${secretPayload}\n' at 'updates.1.member.payload' failed`
          ),
          "400 without a body": { status: 400, body: "" },
          "403": awsSays(403, "AccessDeniedException", "not authorized to perform: lambda:CheckpointDurableExecution"),
          "403 that quotes what was signed": awsSays(403, "InvalidSignatureException", signature),
          "404": refusal("ResourceNotFoundException", "no such function"),
          "404 of a proxy, in HTML": {
            status: 404,
            headers: { "content-type": "text/html" },
            body: `<p>${token}</p>`
          },
          "413": refusal("RequestTooLargeException", "too large"),
          "413 of a proxy": { status: 413, body: "<html>" },
          KMSAccessDeniedException: refusal("KMSAccessDeniedException", "no access to the key"),
          KMSDisabledException: refusal("KMSDisabledException", "the key is disabled"),
          KMSInvalidStateException: refusal("KMSInvalidStateException", "the key is pending deletion"),
          KMSNotFoundException: refusal("KMSNotFoundException", "no such key")
        })) {
          it.live(name, () =>
            Effect.gen(function* () {
              const ended = yield* call(reply)
              assert.isUndefined(ended.failure, messageOf(ended))
              assert.strictEqual(ended.answer?.Status, "FAILED")
              if (ended.answer?.Status !== "FAILED") return
              assert.strictEqual(ended.answer.Error?.ErrorType, "StoreRejected")
              assert.lengthOf(ended.requests, before + 1)
              assertQuiet(ended)
              assert.notInclude(messageOf(ended), "session-secret")
            })
          )
        }
      })
    }

    describe("An answer without a token", () => {
      for (const [name, body] of Object.entries({
        absent: { NewExecutionState: { Operations: [] } },
        null: { CheckpointToken: null, NewExecutionState: {} },
        empty: { CheckpointToken: "", NewExecutionState: { Operations: [], NextMarker: "page-2" } }
      })) {
        it.live(`ends the invocation as pending: ${name}`, () =>
          Effect.gen(function* () {
            const { answer, requests } = yield* invokeOver(transport, program, () => ({ body }))
            assert.deepStrictEqual(answer, { Status: "PENDING" })
            assert.lengthOf(requests, 1)
          })
        )
      }
    })
  })
}
