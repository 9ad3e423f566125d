/**
 * Who may talk to the engine. Any page that a developer opens can send requests to this machine, and one whose name is bound
 * anew could read the answers; behind the port lie the developer's own functions and data.
 *
 * Owns: which requests are turned away before anybody looks at what they ask for.
 * Does not own: what a route takes.
 *
 * @since 0.1.0
 */

/** What a request shows of itself. */
export interface Stranger {
  readonly method: string
  readonly headers: Readonly<Record<string, string | undefined>>
}

/** Why a request is turned away: the name of an exception, and a sentence. */
export interface Denial {
  readonly name: string
  readonly message: string
}

/** The rules for a server at this port. */
export const guard =
  (port: number) =>
  ({ headers, method }: Stranger): Denial | undefined => {
    const hosts = ["127.0.0.1", "localhost", "[::1]"].map((name) => `${name}:${port}`)
    const { host, origin, "sec-fetch-site": site } = headers
    // A page whose name leads here sends its own name.
    if (host === undefined || !hosts.includes(host.toLowerCase())) {
      return denied(`The Host of this request is not this engine. Use ${hosts[0]} as the address.`)
    }
    if (origin !== undefined && !hosts.includes(origin.toLowerCase().replace(/^http:\/\//, ""))) {
      return denied("A page of another site sent this request, and pages may not use the engine.")
    }
    if (site === "cross-site" || site === "same-site") {
      return denied("A page of another site sent this request, and pages may not use the engine.")
    }
    // No page gets leave to send what is not simple.
    if (method === "OPTIONS") return denied("The engine has no answers for pages of other sites.")
    return undefined
  }

const denied = (message: string): Denial => ({ name: "AccessDeniedException", message })

/**
 * What every request of AWS's clients carries, whatever the credentials, and no page can send without asking. The signature
 * is not checked: whoever may send it may also read the secret that it is made with.
 */
export const unsigned = ({ headers }: Stranger): Denial | undefined =>
  headers["authorization"]?.startsWith("AWS4-HMAC-SHA256 ") === true
    ? undefined
    : {
        name: "MissingAuthenticationTokenException",
        message:
          "The request is not signed. Use a client of AWS with any credentials, for instance AWS_ACCESS_KEY_ID=local and AWS_SECRET_ACCESS_KEY=local."
      }
