/** Every export says in the reference what it does, and the tables of options in the guides are those of the types. */
import { assert, describe, it } from "@effect/vitest"
import { inject } from "vitest"
import { counted } from "./counted.ts"

describe("npm run reference -- --check", () => {
  it("finds nothing that is out of date, and nothing that is lacking", (context) => {
    const { output, status } = inject("reference")
    assert.strictEqual(status, 0, output)
    const { exports } = JSON.parse(output.split("\n").find((line) => line.startsWith("{")) ?? "{}")
    assert.isAbove(exports, 0)
    counted(context, { "exports documented": exports })
  })
})
