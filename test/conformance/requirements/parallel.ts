/** The suite `parallel`: branches beside each other. */
import {
  anything,
  batch,
  broken,
  context,
  counts,
  invoked,
  item,
  itemNamed,
  raw,
  step,
  stepped,
  wait,
  type Rows
} from "./table.ts"

const ok = item("ok")

const large = item("x".repeat(71_680))

export const rows: Rows = {
  "8-1": {
    result: ["task-1", "task-2"],
    events: [...batch("Parallel", [stepped("task-1"), stepped("task-2")]), invoked]
  },
  "8-2": { result: ["alpha", "beta"], events: [...batch("Parallel", [item("alpha"), item("beta")]), invoked] },
  "8-3": {
    result: ["one", "two"],
    events: [...batch("Parallel", [itemNamed("first", item("one")), itemNamed("second", item("two"))]), invoked]
  },
  "8-4": {
    result: ["hello", 42, { k: "v" }],
    events: [...batch("Parallel", [item("hello"), item(42), item({ k: "v" })]), invoked]
  },
  "8-5": { result: [], events: [...batch("Parallel", []), invoked] },
  "8-6": {
    result: { status: "FAILED", ...counts("FAILURE_TOLERANCE_EXCEEDED", 1, 1) },
    events: [...batch("Parallel", [ok, broken]), invoked]
  },
  "8-8": {
    result: { completionReason: "MIN_SUCCESSFUL_REACHED", successCount: 2, totalCount: 2 },
    events: [...batch("Parallel", [item(), item()]), invoked]
  },
  "8-9": {
    result: { status: "FAILED", ...counts("ALL_COMPLETED", 2, 1) },
    events: [...batch("Parallel", [item(), broken, item()]), invoked]
  },
  "8-10": {
    result: counts("FAILURE_TOLERANCE_EXCEEDED", 0, 2),
    events: [...batch("Parallel", [broken, broken]), invoked]
  },
  "8-11": {
    result: ["r0", "r1", "r2"],
    events: [...context("Parallel", "batch", {}, ...Array.from({ length: 6 }, () => anything)), invoked]
  },
  "8-13": {
    result: counts("FAILURE_TOLERANCE_EXCEEDED", 0, 2),
    events: [...batch("Parallel", [broken, broken]), invoked]
  },
  "8-15": {
    result: ["x", "y"],
    events: [
      ...batch(
        "Parallel",
        ["x", "y"].map((wrapped) => (SubType, _, where) => context(SubType, where, raw(JSON.stringify({ wrapped }))))
      ),
      invoked
    ]
  },
  "8-16": {
    result: { status: "FAILED", ...counts("ALL_COMPLETED", 0, 3) },
    events: [...batch("Parallel", [broken, broken, broken]), invoked]
  },
  "8-17": {
    result: { status: "FAILED", ...counts("ALL_COMPLETED", 2, 1) },
    events: [...batch("Parallel", [item(), broken, item()]), invoked]
  },
  "8-20": {
    result: { hasFailure: true, successCount: 2, failureCount: 1, errorCount: 1 },
    events: [...batch("Parallel", [item(), broken, item()]), invoked]
  },
  "8-21": {
    result: [["i1", "i2"]],
    events: [
      ...batch("Parallel", [
        item(["i1", "i2"], (key) => batch("Parallel", [stepped("i1"), stepped("i2")], {}, `inner in ${key}`))
      ]),
      invoked
    ]
  },

  "8-7": { events: [...batch("Parallel", [broken]), invoked] },
  "8-12": {
    result: ["fa", "fb"],
    events: [...context("Parallel", "p", {}, ...step("a", "fa", "p"), ...step("b", "fb", "p")), invoked]
  },
  "8-14": {
    result: ["waited", "direct"],
    events: [
      ...batch("Parallel", [item("waited", (key) => wait(1, `pause_${key} in ${key}`)), item("direct")]),
      invoked
    ]
  },
  "8-18": {
    result: { successCount: 4, totalCount: 4 },
    events: [...batch("Parallel", [large, large, large, large]), invoked]
  },
  "8-19": { events: [invoked] },
  "8-22": {
    result: { status: "FAILED", ...counts("ALL_COMPLETED", 1, 1) },
    events: [...batch("Parallel", [broken, ok]), invoked]
  }
}
