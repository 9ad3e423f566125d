/**
 * The addresses of the pages and the actions.
 *
 * Owns: their form in pages. Does not own: how a request finds its page.
 *
 * @since 0.1.0
 */

/** The parameters of the list, as text from an address. */
export type Parameters = Readonly<Record<string, string | number | undefined>>

const withQuery = (path: string, parameters: Parameters): string => {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== "") query.set(name, String(value))
  }
  const text = query.toString()
  return text === "" ? path : `${path}?${text}`
}

export const list = (parameters: Parameters = {}): string => withQuery("/_ui/", parameters)

export const execution = (name: string, parameters: Parameters = {}): string =>
  withQuery(`/_ui/executions/${encodeURIComponent(name)}`, parameters)

/** Returns the link to an operation, in the page of its execution. */
export const operation = (name: string, id: string, parameters: Parameters = {}): string =>
  `${execution(name, { ...parameters, op: id })}#inspector`

export const payload = (name: string, of: "input" | "output" | "error", id: string | undefined): string =>
  withQuery(`${execution(name)}/payload`, { of, op: id })

/** Returns the address of an action on an execution, or on one of its callbacks. */
export const action = (name: string, what: string, operationId?: string): string =>
  operationId === undefined
    ? `${execution(name)}/${what}`
    : `${execution(name)}/callbacks/${encodeURIComponent(operationId)}/${what}`

export const start = "/_ui/start"
