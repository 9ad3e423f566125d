/**
 * The credentials that sign requests.
 *
 * Owns: the source of credentials and how long they are kept. The source is an option, the environment, or
 * `@aws-sdk/credential-providers` where it is installed: a container, an instance, a profile, a web identity.
 * Does not own: the signatures.
 *
 * Invariants:
 * 1. Credentials are never part of a message.
 * 2. Concurrent requests share one search, and a failed search is not kept.
 *
 * @since 0.1.0
 */

/**
 * Credentials of AWS. Without an `expiration` they never expire.
 *
 * @category models
 * @since 0.1.0
 */
export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
  readonly expiration?: Date | undefined
}

/**
 * A function that finds credentials, as the providers of AWS's SDK do. When the service reports that its last result has
 * expired, it is called with `{ forceRefresh: true }`, so that a provider that keeps results does not return that one again.
 *
 * @category models
 * @since 0.1.0
 */
export type CredentialProvider = () => Promise<Credentials>

/**
 * The signature with which a provider is called. Providers of AWS's SDK declare other options, and this option has no
 * public name there.
 */
type Refreshing = (options?: { readonly forceRefresh: true }) => Promise<Credentials>

/** The credentials of each request. Results that are costly to find are kept. */
export interface CredentialSource {
  readonly find: () => Credentials | Promise<Credentials>
  /** Learns that the service reports these credentials as expired. Others, found since, are kept. */
  readonly refuse: (credentials: Credentials) => void
}

/** How long before their expiration credentials are renewed, in milliseconds. */
const margin = 5 * 60_000

export const credentialSource = (given: Credentials | CredentialProvider | undefined): CredentialSource => {
  if (typeof given === "object") return { find: () => complete(given), refuse: () => {} }
  const provided = kept(given ?? chain)
  return { ...provided, find: () => (given === undefined ? fromEnvironment() : undefined) ?? provided.find() }
}

/** Reads the environment each time: it costs nothing, and changes by a test or a host take effect at once. */
const fromEnvironment = (): Credentials | undefined => {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = process.env
  if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) return undefined
  return {
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    ...(AWS_SESSION_TOKEN ? { sessionToken: AWS_SESSION_TOKEN } : undefined)
  }
}

/** Keeps the credentials of a provider. Concurrent requests share one search. A failed search is not kept. */
const kept = (provider: Refreshing): CredentialSource => {
  let found: Credentials | undefined
  let refused: Credentials | undefined
  let search: Promise<Credentials> | undefined
  const isRefused = (): boolean => found !== undefined && found === refused
  const begin = async (): Promise<Credentials> => {
    found = complete(await (isRefused() ? provider({ forceRefresh: true }) : provider()))
    return found
  }
  return {
    find: () => {
      if (found !== undefined && !isRefused() && (found.expiration?.getTime() ?? Infinity) - margin > Date.now()) {
        return found
      }
      // This is not in `begin`, because a provider that throws at once would end `begin` before the search is kept.
      search ??= begin().finally(() => {
        search = undefined
      })
      return search
    },
    refuse: (credentials) => {
      if (credentials === found) refused = found
    }
  }
}

/**
 * Returns credentials that are complete. Signatures with a missing key would be refused for good, and a variable of the
 * environment that is not set yet is enough for that.
 */
const complete = (credentials: Credentials): Credentials => {
  const parts: Partial<Credentials> | null | undefined = credentials
  if (parts?.accessKeyId && parts.secretAccessKey) return credentials
  throw new Error("Expected credentials with an accessKeyId and a secretAccessKey, found an incomplete pair.")
}

/** The provider chain of AWS's SDK, created once and called each time that credentials have expired. */
let chained: Promise<Refreshing> | undefined

const chain: Refreshing = async (options) => {
  chained ??= load("@aws-sdk/credential-providers")
  const loading = chained
  try {
    return await (
      await loading
    )(options)
  } catch (error) {
    if (error instanceof NoProviders) chained = undefined
    throw error
  }
}

/**
 * Loads the package. Its name is an argument, so that bundlers omit the package: it is several times the size of a whole
 * handler, and a function on Lambda has its credentials in the environment.
 */
const load = async (packageName: string): Promise<Refreshing> => {
  const module: unknown = await import(packageName).catch((error: unknown) => {
    throw new NoProviders(error instanceof Error ? error.message : String(error))
  })
  const make: unknown =
    typeof module === "object" && module !== null ? Reflect.get(module, "fromNodeProviderChain") : undefined
  if (!isMaker(make)) throw new NoProviders("It has no fromNodeProviderChain.")
  return make()
}

const isMaker = (value: unknown): value is () => Refreshing => typeof value === "function"

class NoProviders extends Error {
  override readonly name = "CredentialsMissing"

  constructor(reason: string) {
    super(
      "Expected AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment, found neither, and the package " +
        "@aws-sdk/credential-providers, which finds other credentials, could not be loaded. Set the two, install the " +
        `package, or pass credentials with layerWith. ${reason}`
    )
  }
}
