import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Constraints from "../../src/wire/Constraints.ts"
import { timesAsMuch } from "../support/cpu.ts"
import { seed } from "./support.ts"

interface Examples<T> {
  readonly accepts: ReadonlyArray<T>
  readonly refuses: ReadonlyArray<T>
}

const agree = <T>(predicate: (value: T) => boolean, { accepts, refuses }: Examples<T>) => {
  for (const value of accepts) assert.isTrue(predicate(value), `should accept ${String(value).slice(0, 80)}`)
  for (const value of refuses) assert.isFalse(predicate(value), `should refuse ${String(value).slice(0, 80)}`)
}

const a = (length: number) => "a".repeat(length)

describe("texts", () => {
  const texts: Record<string, readonly [predicate: (text: string) => boolean, examples: Examples<string>]> = {
    isOperationId: [
      Constraints.isOperationId,
      {
        accepts: ["1", "c4-_Z", a(64), "execution-result-1804507200123"],
        refuses: ["", a(65), "a b", "a.b", "ä", "a\n", "a/b"]
      }
    ],
    isOperationName: [
      Constraints.isOperationName,
      {
        accepts: ["charge", " ", "~", "card #4 (visa)", a(256)],
        refuses: ["", a(257), "naïve", "tab\there", "line\n", "\u007f", "😀", "\ud800"]
      }
    ],
    isSubType: [
      Constraints.isSubType,
      { accepts: ["Step", "My_Sub-Type1", a(32)], refuses: ["", a(33), "Sub Type", "Sub.Type"] }
    ],
    isExecutionName: [
      Constraints.isExecutionName,
      { accepts: ["order-42", "n_1-A", a(64)], refuses: ["", a(65), "order 42", "order/42", "order:42", "ördér"] }
    ],
    isCheckpointToken: [
      Constraints.isCheckpointToken,
      {
        accepts: ["a", "QUJD+/8=", "QQ==", a(2048)],
        refuses: ["", a(2049), "QQ===", "a=b", "a-b", "a_b", "a b", "=", "QQ==\n"]
      }
    ],
    isCallbackId: [
      Constraints.isCallbackId,
      { accepts: ["cGFyY2Vs", "+/==", a(1024)], refuses: ["", a(1025), "abc-_", "a.b", "QQ==="] }
    ],
    isClientToken: [
      Constraints.isClientToken,
      { accepts: ["0f8fad5b-d9cb-469f-a165-70867728950e", "!~", a(64)], refuses: ["", a(65), "a b", "é"] }
    ],
    isTenantId: [
      Constraints.isTenantId,
      {
        accepts: ["depot 3", "a.b_c:d/e=f+g-h@i", a(256)],
        refuses: ["", a(257), "a,b", "a#b", "a\tb", "ten\u00e4nt"]
      }
    ],
    isQualifier: [
      Constraints.isQualifier,
      {
        accepts: ["$LATEST", "$LATEST.PUBLISHED", "7", "live", "blue-green_1", a(128)],
        refuses: ["", "$latest", "$LATEST.X", "$7", "a.b", "a b", a(129)]
      }
    ],
    isDurableExecutionArn: [
      Constraints.isDurableExecutionArn,
      {
        accepts: [
          "arn:aws:lambda:eu-west-1:210987654321:function:shipping:12/durable-execution/parcel-7/5d1f0c1e-77aa",
          "arn:aws-us-gov:lambda:us-gov-west-1:210987654321:function:a_b-c:$LATEST/durable-execution/n/i",
          "arn:aws:lambda:eu-west-1:210987654321:function:s:$LATEST.PUBLISHED/durable-execution/n/i"
        ],
        refuses: [
          "",
          "0f8fad5b-d9cb-469f-a165-70867728950e",
          "arn:aws:lambda:eu-west-1:210987654321:function:shipping:live/durable-execution/parcel-7/5d1f",
          "arn:aws:lambda:eu-west-1:210987654321:function:shipping/durable-execution/parcel-7/5d1f",
          "arn:aws:lambda:eu-west-1:21098765432:function:shipping:1/durable-execution/parcel-7/5d1f",
          "arn:aws:lambda:eu-west-1:210987654321:function:shipping:1/durable-execution/parcel-7/",
          "arn:aws:lambda:eu-west-1:210987654321:function:shipping:1/durable-execution/parcel-7/a/b",
          `arn:aws:lambda:eu-west-1:210987654321:function:shipping:1/durable-execution/parcel-7/${a(1024)}`
        ]
      }
    ]
  }

  for (const [name, [predicate, examples]] of Object.entries(texts)) {
    it(name, () => agree(predicate, examples))
  }
})

describe("numbers", () => {
  const never = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, 1.5]
  const numbers: Record<string, readonly [predicate: (value: number) => boolean, examples: Examples<number>]> = {
    isDurationSeconds: [
      Constraints.isDurationSeconds,
      { accepts: [1, 60, 31_622_400], refuses: [0, 31_622_401, ...never] }
    ],
    isCallbackTimeoutSeconds: [
      Constraints.isCallbackTimeoutSeconds,
      { accepts: [0, 1, 99_999_999], refuses: [100_000_000, ...never] }
    ],
    isMaxItems: [Constraints.isMaxItems, { accepts: [0, 1, 1000], refuses: [1001, ...never] }],
    isRetentionDays: [Constraints.isRetentionDays, { accepts: [1, 14, 90], refuses: [0, 91, ...never] }]
  }

  for (const [name, [predicate, examples]] of Object.entries(numbers)) {
    it(name, () => agree(predicate, examples))
  }
})

describe("the ARN of an execution", () => {
  it("comes apart into what it names", () => {
    assert.deepStrictEqual(
      Constraints.parseDurableExecutionArn(
        "arn:aws:lambda:eu-west-1:210987654321:function:shipping:$LATEST/durable-execution/parcel-7/5d1f0c1e"
      ),
      {
        partition: "aws",
        region: "eu-west-1",
        account: "210987654321",
        functionName: "shipping",
        version: "$LATEST",
        executionName: "parcel-7",
        executionId: "5d1f0c1e"
      }
    )
    assert.isUndefined(Constraints.parseDurableExecutionArn("parcel-7"))
  })

  it("is put together from the same parts again", () => {
    console.log(`seed ${seed}`)
    const word = fc.stringMatching(/^[a-zA-Z0-9_-]{1,20}$/)
    const parts = fc.record({
      partition: fc.constantFrom("aws", "aws-cn", "aws-us-gov"),
      region: fc.constantFrom("eu-west-1", "us-gov-east-1", "ap-southeast-5"),
      account: fc.stringMatching(/^\d{12}$/),
      functionName: word,
      version: fc.oneof(fc.constantFrom("$LATEST", "$LATEST.PUBLISHED"), fc.stringMatching(/^\d{1,6}$/)),
      executionName: word,
      executionId: word
    })
    fc.assert(
      fc.property(parts, (arn) => {
        const text = Constraints.formatDurableExecutionArn(arn)
        assert.isTrue(Constraints.isDurableExecutionArn(text))
        assert.deepStrictEqual(Constraints.parseDurableExecutionArn(text), arn)
      }),
      { seed, numRuns: 200 }
    )
  })
})

describe("the address of a function", () => {
  const account = "210987654321"
  const region = "eu-west-1"
  const read: Record<string, Constraints.FunctionAddress | undefined> = {
    shipping: { kind: "name", name: "shipping" },
    "shipping:live": { kind: "name", name: "shipping", qualifier: "live" },
    "shipping:$LATEST": { kind: "name", name: "shipping", qualifier: "$LATEST" },
    "my.fn_1-a:7": { kind: "name", name: "my.fn_1-a", qualifier: "7" },
    "function:live": { kind: "name", name: "function", qualifier: "live" },
    "210987654321:live": { kind: "name", name: account, qualifier: "live" },
    "210987654321:function:shipping": { kind: "partial-arn", name: "shipping", account },
    "210987654321:function:shipping:live": { kind: "partial-arn", name: "shipping", qualifier: "live", account },
    "eu-west-1:210987654321:function:shipping": { kind: "partial-arn", name: "shipping", region, account },
    "arn:aws:lambda:eu-west-1:210987654321:function:shipping": {
      kind: "arn",
      name: "shipping",
      partition: "aws",
      region,
      account
    },
    "arn:aws:lambda:eu-west-1:210987654321:function:shipping:$LATEST.PUBLISHED": {
      kind: "arn",
      name: "shipping",
      qualifier: "$LATEST.PUBLISHED",
      partition: "aws",
      region,
      account
    },
    "arn:aws-us-gov:lambda:us-gov-west-1:210987654321:function:a:1": {
      kind: "arn",
      name: "a",
      qualifier: "1",
      partition: "aws-us-gov",
      region: "us-gov-west-1",
      account
    },
    "": undefined,
    ":": undefined,
    "shipping:": undefined,
    ":live": undefined,
    "shipping:$latest": undefined,
    "shipping:a:b": undefined,
    "shipping live": undefined,
    "shipping\n": undefined,
    schön: undefined,
    "21098765432:function:shipping": undefined,
    "arn:aws:lambda:210987654321:function:shipping": undefined,
    "arn:aws:lambda:eu-west-1::function:shipping": undefined,
    "arn:aws:s3:eu-west-1:210987654321:function:shipping": undefined,
    "arn:aws:lambda:eu-west-1:210987654321:function:shipping:1/durable-execution/n/i": undefined,
    [a(65)]: undefined,
    [`210987654321:function:${a(300)}`]: undefined,
    [`shipping:${a(129)}`]: undefined
  }

  for (const [text, expected] of Object.entries(read)) {
    it(`${JSON.stringify(text.slice(0, 70))} is ${expected?.kind ?? "none"}`, () => {
      assert.deepStrictEqual(Constraints.parseFunctionAddress(text), expected)
      assert.strictEqual(Constraints.isFunctionAddress(text), expected !== undefined)
    })
  }

  it("says what its qualifier points at", () => {
    assert.deepStrictEqual(["$LATEST", "$LATEST.PUBLISHED", "007", "7a", "$7", ""].map(Constraints.qualifierKind), [
      "latest",
      "latest-published",
      "version",
      "alias",
      undefined,
      undefined
    ])
  })

  it("is read in linear time, whatever it is", () => {
    const hostile = [":", `${"1".repeat(12)}:`, "arn:aws:lambda:", "a-"].map((part) => part.repeat(8_000))
    const read = (): void => {
      for (const text of hostile) {
        Constraints.parseFunctionAddress(text)
        Constraints.parseFunctionAddress(text.slice(0, 256))
        Constraints.isDurableExecutionArn(text)
        Constraints.isOperationName(text)
        Constraints.isCheckpointToken(text)
      }
    }
    const lookAtEveryLetter = (): number =>
      hostile.reduce((sum, text) => sum + Array.from(text, (letter) => letter.charCodeAt(0)).length, 0)
    assert.isBelow(timesAsMuch(read, lookAtEveryLetter), 2)
  })
})
