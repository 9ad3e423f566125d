/** The client and the checkpoint store sort the same failures of the AWS API alike. */
import { assert, describe, it } from "@effect/vitest"
import { clientError } from "../../src/ClientFailure.ts"
import { storeError } from "../../src/StoreFailure.ts"

const rows: ReadonlyArray<[name: string | undefined, status: number | undefined, mayPass: boolean]> = [
  ["ExpiredTokenException", 403, true],
  ["ThrottlingException", 400, true],
  ["TooManyRequestsException", 429, true],
  ["RequestTimeoutException", 408, true],
  [undefined, 408, true],
  ["EC2ThrottledException", 400, true],
  ["RequestTimeTooSkewed", 403, true],
  ["ServiceException", 500, true],
  ["TimeoutError", undefined, true],
  [undefined, 200, true],
  ["InvalidParameterValueException", 400, false],
  ["AccessDeniedException", 403, false],
  ["KMSDisabledException", 502, false]
]

describe("failures of the AWS API", () => {
  it.each(rows)("%s with status %s may pass: %s", (name, status, mayPass) => {
    const failure = { name, status, message: "no" }
    assert.strictEqual(storeError(failure)._tag, mayPass ? "StoreUnavailable" : "StoreRefused")
    assert.strictEqual(clientError(failure)._tag, mayPass ? "ClientUnavailable" : "ClientRefused")
  })

  it.each([
    ["Signature expired: 20261130T100000Z is now earlier than 20261130T101500Z", true],
    ["Signature not yet current: 20261130T101500Z is still later than 20261130T100000Z", true],
    ["The request signature we calculated does not match the signature you provided.", false]
  ])("a signature is refused for a while where the clock is off: %s", (message, passes) => {
    const failure = { name: "InvalidSignatureException", status: 403, message }
    assert.strictEqual(storeError(failure)._tag, passes ? "StoreUnavailable" : "StoreRefused")
    assert.strictEqual(clientError(failure)._tag, passes ? "ClientUnavailable" : "ClientRefused")
  })

  it("a function that is being changed lets itself be called later", () => {
    const failure = { name: "ResourceConflictException", status: 409, message: "pending" }
    assert.strictEqual(clientError(failure)._tag, "ClientUnavailable")
  })
})
