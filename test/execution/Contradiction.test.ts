import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Contradiction from "../../src/execution/Contradiction.ts"
import { History } from "../../src/execution/History.ts"
import { Lifetime } from "../../src/execution/Lifetime.ts"
import { Namespace } from "../../src/execution/Namespace.ts"
import { claimHost, claimOf, kinds, record } from "./support.ts"

const host = claimHost()
const root = Namespace.root("arn", 0)

describe("A contradiction", () => {
  const mistake = Contradiction.spinning("execution-1")

  it("ends the execution, or only the invocation if the settings say so", () => {
    const verdictAfter = (onNonDeterminism: "fail" | "retry") => {
      const lifetime = new Lifetime()
      const settings = {
        grace: 0,
        end: Infinity,
        outsideLimit: 0,
        outsideGrace: 0,
        startTimer: () => () => {},
        whenQuiet: () => () => {},
        deadline: undefined,
        maxPayload: 0,
        warnAboutTargets: false,
        insteadOf: undefined
      }
      Contradiction.tell({ lifetime, settings: { ...settings, onNonDeterminism } }, mistake)
      return lifetime.verdict
    }
    assert.deepStrictEqual(verdictAfter("fail"), { _tag: "Condemned", mistake })
    const aborted = verdictAfter("retry")
    assert(aborted?._tag === "Aborted")
    assert.deepInclude(aborted.error, { reason: "non-deterministic" })
    assert.strictEqual(aborted.error.message, mistake.message)
  })

  it("of kinds names both", () => {
    const { message, operation } = Contradiction.otherKind(
      claimOf(root, "a", { host, kind: kinds.wait }),
      record("a", { Name: "a" })
    )
    assert.strictEqual(operation, "a")
    assert.include(message, `holds a STEP (Step) at "a"`)
    assert.include(message, "asks for a WAIT (Wait)")
  })

  it("names at most five of what the code has not asked for, and what it asks for or ends instead", () => {
    const names = ["a", "b", "c", "d", "e", "f", "g"]
    const history = new History(
      names.map((name) => record(name)),
      new Set()
    )
    history.open(root)
    const claim = claimOf(root, "new", { host })
    const work = { claim, index: 0, isEnd: false, isExempt: false, run: () => {}, isGone: false }
    const asked = Contradiction.unclaimed({ history }, work).message
    assert.include(
      asked,
      `STEP "a", STEP "b", STEP "c", STEP "d", STEP "e", and 2 more, but the code asks for STEP "new"`
    )
    const ended = Contradiction.unclaimed({ history }, { ...work, isEnd: true }).message
    assert.include(ended, `the code of "new" ends without asking for them`)
    for (const message of [asked, ended]) {
      for (const cure of ["version of the code that recorded it", "Durable.patched", "new version"]) {
        assert.include(message, cure)
      }
    }
  })
})

describe("Whoever belongs to a context that has ended", () => {
  it.effect("is told by a defect that names both", () =>
    Effect.gen(function* () {
      const child = root.inside({ id: "c", path: "block" })
      const exit = yield* Effect.exit(Contradiction.contextEnded(child, "block/late"))
      assert(Exit.isFailure(exit))
      const defect = Cause.squash(exit.cause)
      assert.nestedPropertyVal(defect, "_tag", "ContextEnded")
      assert.include(String(defect), `"block/late" belongs to "block"`)
    })
  )
})
