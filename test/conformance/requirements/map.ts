/** The suite `map`: the same for every item. */
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

export const rows: Rows = {
  "9-1": {
    Input: ["Ada", "Bob"],
    result: ["Hello, Ada!", "Hello, Bob!"],
    events: [...batch("Map", [stepped("Hello, Ada!"), stepped("Hello, Bob!")]), invoked]
  },
  "9-2": { Input: [3, 4], result: [6, 8], events: [...batch("Map", [item(6), item(8)]), invoked] },
  "9-3": { Input: [5, 5, 5], result: [5, 6, 7], events: [...batch("Map", [item(5), item(6), item(7)]), invoked] },
  "9-5": {
    result: { status: "FAILED", ...counts("FAILURE_TOLERANCE_EXCEEDED", 1, 1) },
    events: [...batch("Map", [ok, broken]), invoked]
  },
  "9-6": { events: [...batch("Map", [broken]), invoked] },
  "9-7": {
    result: { completionReason: "MIN_SUCCESSFUL_REACHED", successCount: 2, totalCount: 2 },
    events: [...batch("Map", [item(), item()]), invoked]
  },
  "9-8": {
    result: { status: "FAILED", ...counts("ALL_COMPLETED", 2, 1) },
    events: [...batch("Map", [item(), broken, item()]), invoked]
  },
  "9-9": {
    result: counts("FAILURE_TOLERANCE_EXCEEDED", 0, 2),
    events: [...batch("Map", [broken, broken]), invoked]
  },
  "9-10": {
    result: counts("FAILURE_TOLERANCE_EXCEEDED", 0, 2),
    events: [...batch("Map", [broken, broken]), invoked]
  },
  "9-11": {
    result: ["r0", "r1", "r2"],
    events: [...context("Map", "batch", {}, ...Array.from({ length: 6 }, () => anything)), invoked]
  },
  "9-12": {
    result: ["fa", "fb"],
    events: [...context("Map", "m", {}, ...step("a", "fa", "m"), ...step("b", "fb", "m")), invoked]
  },
  "9-14": {
    result: ["X", "Y"],
    events: [
      ...batch(
        "Map",
        ["X", "Y"].map((text) => (SubType, _, where) => context(SubType, where, raw(`wrapped:${text}`)))
      ),
      invoked
    ]
  },
  "9-16": {
    result: { successCount: 4, totalCount: 4 },
    events: [
      ...batch(
        "Map",
        ["a", "b", "c", "d"].map((letter) => item(letter.repeat(71_680)))
      ),
      invoked
    ]
  },
  "9-17": { result: ["A", "B"], events: [...batch("Map", [item("A"), item("B")]), ...wait(1), invoked] },
  "9-19": { result: ["X", "Y"], events: [...batch("Map", [item("X"), item("Y")], raw("OPSERDE:X,Y")), invoked] },

  "9-4": { result: [], events: [...batch("Map", []), invoked] },
  "9-13": {
    result: ["A", "B"],
    events: [...batch("Map", [itemNamed("a", item("A")), itemNamed("b", item("B"))]), invoked]
  },
  "9-15": {
    result: { status: "FAILED", ...counts("ALL_COMPLETED", 0, 3) },
    events: [...batch("Map", [broken, broken, broken]), invoked]
  },
  "9-18": {
    result: ["a", "b"],
    events: [
      ...batch(
        "Map",
        ["a", "b"].map((value) => item(value, (key) => wait(1, `pause_${key} in ${key}`)))
      ),
      invoked
    ]
  },
  "9-20": {
    result: [["i1", "i2"]],
    events: [
      ...batch("Map", [
        item(["i1", "i2"], (key) => batch("Map", [stepped("i1"), stepped("i2")], {}, `inner in ${key}`))
      ]),
      invoked
    ]
  }
}
