/**
 * Signatures of AWS requests (Signature Version 4): the headers that identify the caller, the time and the request.
 *
 * Owns: the form of a signature, and the key of the day.
 * Does not own: connections, and the source of credentials.
 *
 * Invariants:
 * 1. A signature covers everything that is sent: method, path, query, headers and body.
 * 2. A key is kept only for its day, its region and its secret.
 *
 * @since 0.1.0
 */
import { percentEncode } from "../../../wire/internal/percent.ts"
import type { ApiRequest } from "../../../wire/Requests.ts"
import type { Credentials } from "./credentials.ts"
import { nodeCrypto } from "./node.ts"

/** A request with everything that the signature covers. Header names are in lower case, and `host` is one of them. */
export interface Signable extends Pick<ApiRequest, "method" | "path" | "query" | "headers"> {
  readonly body: Buffer
}

/** The region and service for which a signature is valid. */
export interface Scope {
  readonly region: string
  readonly service: string
}

/**
 * Returns the headers of the request with those of the signature. All of them are signed, so headers that proxies change are
 * added afterwards.
 */
export const sign = (
  { body, headers, method, path, query }: Signable,
  credentials: Credentials,
  { region, service }: Scope,
  now: number
): Record<string, string> => {
  const time = new Date(now).toISOString().replace(/[:-]|\.\d{3}/g, "")
  const date = time.slice(0, 8)
  const payload = sha256(body)
  const signed: Record<string, string> = { ...headers, "x-amz-date": time, "x-amz-content-sha256": payload }
  if (credentials.sessionToken) signed["x-amz-security-token"] = credentials.sessionToken
  const names = Object.keys(signed).sort()
  const canonical = [
    method,
    percentEncode(path).replaceAll("%2F", "/"),
    canonicalQuery(query),
    ...names.map((name) => `${name}:${(signed[name] ?? "").trim().replace(/\s+/g, " ")}`),
    "",
    names.join(";"),
    payload
  ].join("\n")
  const scope = `${date}/${region}/${service}/aws4_request`
  const signature = hmac(keyOf(credentials.secretAccessKey, date, region, service))
    .update(`AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`)
    .digest("hex")
  signed["authorization"] =
    `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`
  return signed
}

/** Returns the query as it is sent, in the given order of repeated keys. */
export const queryText = (query: ApiRequest["query"]): string =>
  query.map(([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`).join("&")

const canonicalQuery = (query: ApiRequest["query"]): string =>
  query
    .map(([name, value]): readonly [string, string] => [percentEncode(name), percentEncode(value)])
    .sort(([name, value], [otherName, otherValue]) => compare(name, otherName) || compare(value, otherValue))
    .map(([name, value]) => `${name}=${value}`)
    .join("&")

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)

const sha256 = (text: string | Buffer): string => nodeCrypto().createHash("sha256").update(text).digest("hex")

const hmac = (key: string | Buffer) => nodeCrypto().createHmac("sha256", key)

/** The last key, which is valid for a day. Its four rounds of HMAC cost more than the rest of a signature. */
let last: { readonly id: string; readonly key: Buffer } | undefined

const keyOf = (secret: string, date: string, region: string, service: string): Buffer => {
  const id = [secret, date, region, service].join("\n")
  if (last?.id !== id) {
    const key = [date, region, service, "aws4_request"].reduce(
      (parent: Buffer | string, text) => hmac(parent).update(text).digest(),
      `AWS4${secret}`
    )
    last = { id, key: Buffer.from(key) }
  }
  return last.key
}
