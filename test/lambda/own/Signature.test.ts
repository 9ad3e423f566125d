/** Our signatures beside those of two other signers, and one that AWS has published. */
import { SignatureV4 } from "@smithy/signature-v4"
import { assert, describe, it } from "@effect/vitest"
import aws4 from "aws4"
import * as fc from "fast-check"
import { createHash, createHmac, type Hash, type Hmac } from "node:crypto"
import process from "node:process"
import type { Credentials } from "../../../src/lambda/internal/own/credentials.ts"
import { queryText, sign, type Signable } from "../../../src/lambda/internal/own/signature.ts"
import { pathOf } from "../../../src/wire/Routes.ts"

const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31)

interface Case {
  readonly request: Signable
  readonly credentials: Credentials
  readonly region: string
  readonly service: string
  readonly now: number
}

const ours = ({ credentials, now, region, request, service }: Case): string =>
  sign(request, credentials, { region, service }, now)["authorization"] ?? ""

/** As the signer of AWS's own clients has it. */
const smithys = async ({ credentials, now, region, request, service }: Case): Promise<string> => {
  const signer = new SignatureV4({
    credentials: {
      accessKeyId: credentials.accessKeyId,
      secretAccessKey: credentials.secretAccessKey,
      ...(credentials.sessionToken === undefined ? undefined : { sessionToken: credentials.sessionToken })
    },
    region,
    service,
    sha256: Sha256
  })
  const query: Record<string, Array<string>> = {}
  for (const [name, value] of request.query) (query[name] ??= []).push(value)
  const { headers } = await signer.sign(
    {
      method: request.method,
      protocol: "https:",
      hostname: request.headers["host"] ?? "",
      path: request.path,
      query,
      headers: { ...request.headers },
      body: request.body
    },
    { signingDate: new Date(now) }
  )
  return headers["authorization"] ?? ""
}

class Sha256 {
  readonly #hash: Hash | Hmac

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", bytesOf(secret))
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data))
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest()
  }

  reset(): void {
    throw new Error("Nobody starts anew.")
  }
}

const bytesOf = (data: string | ArrayBuffer | ArrayBufferView): Uint8Array => {
  if (typeof data === "string") return Buffer.from(data)
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data)
}

/** As a signer has it that has nothing in common with AWS's clients. */
const aws4s = ({ credentials, now, region, request, service }: Case): string => {
  const query = queryText(request.query)
  const { sessionToken } = credentials
  return (
    aws4.sign(
      {
        method: request.method,
        host: request.headers["host"] ?? "",
        path: query === "" ? request.path : `${request.path}?${query}`,
        service,
        region,
        headers: {
          ...request.headers,
          "x-amz-date": new Date(now).toISOString().replace(/[:-]|\.\d{3}/g, ""),
          "x-amz-content-sha256": createHash("sha256").update(request.body).digest("hex")
        },
        // It is added and signed otherwise. Ours is added afterwards.
        extraHeadersToIgnore: { "content-length": true },
        body: request.body.toString("utf8")
      },
      {
        accessKeyId: credentials.accessKeyId,
        secretAccessKey: credentials.secretAccessKey,
        ...(sessionToken === undefined ? undefined : { sessionToken })
      }
    ).headers["Authorization"] ?? ""
  )
}

const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 })
const word = fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{0,12}$/)

const cases: fc.Arbitrary<Case> = fc.record({
  request: fc.record({
    method: fc.constantFrom("GET", "POST"),
    path: fc.oneof(
      text.filter((label) => !/^\.{1,2}$/.test(label)).map((label) => pathOf("GetDurableExecutionState", label)),
      fc.constant(
        "/2025-12-01/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A1%3Afunction%3Af%3A%24LATEST/durable-executions"
      )
    ),
    query: fc.array(fc.tuple(word, text), { maxLength: 6 }),
    headers: fc.record({
      host: fc.constantFrom("lambda.eu-west-1.amazonaws.com", "127.0.0.1:4566"),
      "content-type": fc.constantFrom("application/json", "application/octet-stream"),
      "amz-sdk-request": fc.constant("attempt=1;  max=3 "),
      "x-amz-tenant-id": fc.stringMatching(/^[A-Za-z0-9 ._:/=+@-]{1,20}$/)
    }),
    body: fc.string({ unit: "grapheme" }).map((body) => Buffer.from(body))
  }),
  credentials: fc.record(
    {
      accessKeyId: fc.stringMatching(/^AKIA[A-Z0-9]{16}$/),
      secretAccessKey: fc.stringMatching(/^[A-Za-z0-9/+]{40}$/),
      sessionToken: fc.stringMatching(/^[A-Za-z0-9/+=]{20,80}$/)
    },
    { requiredKeys: ["accessKeyId", "secretAccessKey"] }
  ),
  region: fc.constantFrom("eu-west-1", "cn-north-1", "us-gov-east-1"),
  service: fc.constantFrom("lambda", "sts"),
  now: fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2040, 0) })
})

describe("A signature", () => {
  it("is the one that AWS has published for an example", () => {
    const example: Case = {
      request: {
        method: "GET",
        path: "/test.txt",
        query: [],
        headers: { host: "examplebucket.s3.amazonaws.com", range: "bytes=0-9" },
        body: Buffer.alloc(0)
      },
      credentials: {
        accessKeyId: "AKIAIOSFODNN7EXAMPLE",
        secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
      },
      region: "us-east-1",
      service: "s3",
      now: Date.UTC(2013, 4, 24)
    }
    assert.strictEqual(
      ours(example),
      "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )
  })

  it("is that of AWS's clients", async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (one) => {
        assert.strictEqual(ours(one), await smithys(one))
      }),
      { seed, numRuns: 300 }
    )
  })

  it("is that of a signer that has nothing in common with AWS's clients", () => {
    fc.assert(
      fc.property(cases, (one) => {
        assert.strictEqual(ours(one), aws4s(one))
      }),
      { seed, numRuns: 300 }
    )
  })

  it("changes with everything that it covers", () => {
    const [one] = fc.sample(cases, { numRuns: 1, seed })
    assert.isDefined(one)
    const { credentials, request } = one
    const others: ReadonlyArray<Case> = [
      { ...one, now: one.now + 1_000 },
      { ...one, now: one.now + 86_400_000 },
      { ...one, region: "ap-south-1" },
      { ...one, service: "other" },
      { ...one, request: { ...request, method: request.method === "GET" ? "POST" : "GET" } },
      { ...one, request: { ...request, path: `${request.path}x` } },
      { ...one, request: { ...request, query: [...request.query, ["Last", "1"]] } },
      { ...one, request: { ...request, headers: { ...request.headers, host: "elsewhere" } } },
      { ...one, request: { ...request, body: Buffer.concat([request.body, Buffer.from("x")]) } },
      { ...one, credentials: { ...credentials, secretAccessKey: `${credentials.secretAccessKey}x` } },
      { ...one, credentials: { ...credentials, sessionToken: `${credentials.sessionToken ?? ""}x` } }
    ]
    const signatureOf = (each: Case) => /Signature=(.*)/.exec(ours(each))?.[1]
    // The key of the day is kept: the first case again, in between, needs another one.
    const signatures = others.flatMap((other) => [signatureOf(other), signatureOf(one)])
    assert.lengthOf(new Set(signatures), others.length + 1)
  })
})
