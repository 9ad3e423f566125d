import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { runInNewContext } from "node:vm"
import { ApiTimestamp, EventTimestamp } from "../../src/wire/Timestamp.ts"
import { decode, encode, refuses, seed } from "./support.ts"

const noon = 1804507200123 // 2027-03-08T12:00:00.123Z

/** The smallest fraction that numbers of this size can have. */
const tick = 2 ** -12

describe("EventTimestamp", () => {
  const read: ReadonlyArray<readonly [input: unknown, milliseconds: number]> = [
    [noon, noon],
    [0, 0],
    [-0, 0],
    [-1, -1],
    [noon + 0.4, noon + 0.4],
    [noon + tick, noon + tick],
    [`${noon + tick}`, noon + tick],
    ["2027-03-08T12:00:00.123Z", noon],
    ["2027-03-08T12:00:00.123456789Z", noon],
    ["2027-03-08T12:00:00.1Z", noon - 23],
    ["2027-03-08T12:00:00Z", noon - 123],
    ["2027-03-08T12:00Z", noon - 123],
    ["2027-03-08T12:00:00.123", noon],
    ["2027-03-08", noon - 123 - 43_200_000],
    ["2027-03-08t12:00:00.123z", noon],
    ["2027-03-08 12:00:00.123000Z", noon],
    ["2027-03-08 13:30:00.123456+01:30", noon],
    ["2027-03-08 05:00:00.123456-07:00", noon],
    ["2027-03-08T13:00:00.123+0100", noon],
    ["2027-03-08T13:00:00.123+01", noon],
    ["2027-03-08T12:00:00,123+00:00", noon],
    ["2028-02-29T00:00:00Z", Date.UTC(2028, 1, 29)],
    ["2027-03-07T24:00:00Z", Date.UTC(2027, 2, 8)],
    ["0001-01-01T00:00:00Z", Date.parse("0001-01-01T00:00:00Z")],
    ["9999-12-31T23:59:59.999Z", 253_402_300_799_999],
    [new Date(noon), noon],
    [runInNewContext(`new Date(${noon})`), noon]
  ]

  for (const [input, milliseconds] of read) {
    it(`reads ${JSON.stringify(input)} (${typeof input})`, () => {
      assert.strictEqual(decode(EventTimestamp, input), milliseconds)
    })
  }

  it("writes milliseconds as they are", () => {
    assert.strictEqual(encode(EventTimestamp, noon), noon)
    assert.strictEqual(encode(EventTimestamp, noon + tick), noon + tick)
    assert.isTrue(Object.is(encode(EventTimestamp, -0), 0))
  })
})

describe("ApiTimestamp", () => {
  const read: ReadonlyArray<readonly [input: unknown, milliseconds: number]> = [
    [noon / 1000, noon],
    [1804507200, noon - 123],
    [1804507200.1234567, noon],
    ["1804507200123.0002", noon + tick],
    ["-0.5", -0.5],
    ["1e-7", 1e-7],
    [0, 0],
    [-0.0002, 0],
    ["2027-03-08T12:00:00.123000+00:00", noon],
    [new Date(noon), noon]
  ]

  for (const [input, milliseconds] of read) {
    it(`reads ${JSON.stringify(input)} (${typeof input})`, () => {
      assert.strictEqual(decode(ApiTimestamp, input), milliseconds)
    })
  }

  it("refuses milliseconds in the place of seconds, instead of waiting until the year 59152", () => {
    assert.isTrue(refuses(ApiTimestamp, noon))
  })

  it("writes seconds with at most three digits of a fraction, and reads them back exactly", () => {
    console.log(`seed ${seed}`)
    assert.strictEqual(JSON.stringify(encode(ApiTimestamp, noon)), "1804507200.123")
    assert.strictEqual(JSON.stringify(encode(ApiTimestamp, noon - 123)), "1804507200")
    fc.assert(
      fc.property(fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }), (milliseconds) => {
        const wire = JSON.stringify(encode(ApiTimestamp, milliseconds))
        assert.match(wire, /^-?\d+(\.\d{1,3})?$/)
        assert.strictEqual(decode(ApiTimestamp, JSON.parse(wire)), milliseconds)
        assert.strictEqual(decode(EventTimestamp, encode(EventTimestamp, milliseconds)), milliseconds)
        const text = new Date(milliseconds).toISOString()
        assert.strictEqual(decode(EventTimestamp, text), milliseconds)
      }),
      { seed, numRuns: 1000 }
    )
  })

  it("writes a time between two milliseconds as text, because seconds would come back as another number", () => {
    assert.strictEqual(encode(ApiTimestamp, noon + tick), "1804507200123.0002")
    assert.strictEqual(encode(ApiTimestamp, noon + 0.5), "1804507200123.5")
    const late = Date.UTC(2038, 5, 1) + 3 * tick
    assert.notStrictEqual((late / 1000) * 1000, late)
    assert.strictEqual(decode(ApiTimestamp, encode(ApiTimestamp, late)), late)
  })
})

describe("both", () => {
  const never: ReadonlyArray<unknown> = [
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.MAX_VALUE,
    new Date(Number.NaN),
    "",
    " ",
    "now",
    "1804507200123",
    "1804507200123.0",
    "1804507200.",
    ".5",
    "+0.5",
    "0x1.8",
    "1e300",
    "253402300799999.5",
    `0.${"1".repeat(100_000)}`,
    "March 8, 2027",
    "2027-03-08T25:00:00Z",
    "2027-02-30T00:00:00Z",
    "2027-13-01",
    "2027-03-08T12:00:00+24:00",
    "2027-03-08T12:00:00Z and more",
    "2027-03-08T12:00:00.Z",
    `2027-03-08T12:00:00.${"1".repeat(100_000)}Z`,
    null,
    undefined,
    true,
    {},
    [],
    [noon],
    { getTime: () => noon },
    Object.create(Date.prototype),
    10n,
    Symbol("time"),
    () => noon
  ]

  for (const schema of [EventTimestamp, ApiTimestamp]) {
    it("refuse what is no time", () => {
      never.forEach((input, index) => assert.isTrue(refuses(schema, input), `input ${index}`))
    })

    it("read back exactly what they wrote, in any part of a millisecond", () => {
      console.log(`seed ${seed}`)
      const most = 253_402_300_799_999
      fc.assert(
        fc.property(fc.double({ min: -most, max: most, noNaN: true }), (milliseconds) => {
          const wire = JSON.stringify(encode(schema, milliseconds))
          assert.strictEqual(decode(schema, JSON.parse(wire)), milliseconds + 0)
        }),
        { seed, numRuns: 1000 }
      )
    })

    it("refuse to write what is no time", () => {
      for (const input of [Number.NaN, Number.POSITIVE_INFINITY, 8.64e15, -8.64e15]) {
        assert.throws(() => encode(schema, input))
      }
    })
  }
})
