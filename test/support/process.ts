/**
 * The files of `npm test` share processes. A test that changes one for good would fail another test, far away; so it fails
 * itself.
 */
import { afterEach, assert } from "vitest"

const functions = (): ReadonlyArray<unknown> => [
  // oxlint-disable-next-line typescript/unbound-method -- only looked at
  Promise.prototype.then,
  globalThis.setTimeout,
  globalThis.setInterval,
  globalThis.setImmediate,
  globalThis.queueMicrotask,
  globalThis.Date
]
const found = functions()

afterEach(() => {
  assert.deepStrictEqual(functions(), found, "The test leaves functions of the process replaced.")
})
