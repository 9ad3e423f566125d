/**
 * Access control of the engine. Any page that a developer opens can send requests to this machine, and a page that rebinds
 * its host name could read the answers; behind the port are the developer's own functions and data.
 *
 * Owns: which requests are refused before their content is processed.
 * Does not own: the input of a route.
 *
 * @since 0.1.0
 */

/** The parts of a request that the guard inspects. */
export interface Stranger {
  readonly method: string
  readonly headers: Readonly<Record<string, string | undefined>>
}

/** A refusal: the name of an exception, and a sentence. */
export interface Denial {
  readonly name: string
  readonly message: string
}

/** Returns the rules for a server at this port. */
export const guard =
  (port: number) =>
  ({ headers, method }: Stranger): Denial | undefined => {
    // Clients leave out the port of HTTP.
    const hosts = ["127.0.0.1", "localhost", "[::1]"].flatMap((name) =>
      port === 80 ? [`${name}:${port}`, name] : [`${name}:${port}`]
    )
    const { host, origin, "sec-fetch-site": site } = headers
    // A page whose host name was rebound to this machine sends its own host name.
    if (host === undefined || !hosts.includes(host.toLowerCase())) {
      return denied(`The Host of this request is not this engine. Use ${hosts[0]} as the address.`)
    }
    if (origin !== undefined && !hosts.includes(origin.toLowerCase().replace(/^http:\/\//, ""))) {
      return denied("A page of another site sent this request, and pages may not use the engine.")
    }
    if (site === "cross-site" || site === "same-site") {
      return denied("A page of another site sent this request, and pages may not use the engine.")
    }
    // No page gets permission to send requests that are not simple.
    if (method === "OPTIONS") return denied("The engine has no answers for pages of other sites.")
    return undefined
  }

const denied = (message: string): Denial => ({ name: "AccessDeniedException", message })

/**
 * Refuses a request without the signature header that all AWS clients send, with any credentials, and that no page can send
 * without a preflight. The signature is not checked: a client that may send it may also read the secret behind it.
 */
export const unsigned = ({ headers }: Stranger): Denial | undefined =>
  headers["authorization"]?.startsWith("AWS4-HMAC-SHA256 ") === true
    ? undefined
    : {
        name: "MissingAuthenticationTokenException",
        message:
          "The request is not signed. Use a client of AWS with any credentials, for instance AWS_ACCESS_KEY_ID=local and AWS_SECRET_ACCESS_KEY=local."
      }
