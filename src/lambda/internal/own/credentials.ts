/**
 * Whose name requests are signed in.
 *
 * Owns: where credentials come from and how long they are kept: those that were handed over, those of the environment, or those
 * that `@aws-sdk/credential-providers` finds where it is installed: of a container, an instance, a profile, a web identity.
 * Does not own: what is signed with them.
 *
 * Invariants:
 * 1. They are never part of a message.
 * 2. Requests that come at the same time share one search, and a search that failed is not kept.
 *
 * @since 0.1.0
 */

/**
 * Credentials of AWS. Without an `expiration` they hold for ever.
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
 * Finds credentials, as the providers of AWS's SDK do.
 *
 * @category models
 * @since 0.1.0
 */
export type CredentialProvider = () => Promise<Credentials>

/** Finds the credentials of each request, and keeps what is costly to find. */
export interface CredentialSource {
  readonly find: () => Credentials | Promise<Credentials>
  /** Forgets what was found, because the service says that it has expired. */
  readonly forget: () => void
}

/** Credentials are found anew so long before they expire, in milliseconds. */
const margin = 5 * 60_000

export const credentialSource = (given: Credentials | CredentialProvider | undefined): CredentialSource => {
  if (typeof given === "object") return { find: () => given, forget: () => {} }
  const provided = kept(given ?? chain)
  return { ...provided, find: () => (given === undefined ? fromEnvironment() : undefined) ?? provided.find() }
}

/** Read anew each time: it costs nothing, and what a test or a host changes there counts at once. */
const fromEnvironment = (): Credentials | undefined => {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = process.env
  if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) return undefined
  return {
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    ...(AWS_SESSION_TOKEN ? { sessionToken: AWS_SESSION_TOKEN } : undefined)
  }
}

/** Requests that come at the same time share one search. A search that failed is not kept. */
const kept = (provider: CredentialProvider): CredentialSource => {
  let found: Credentials | undefined
  let search: Promise<Credentials> | undefined
  const begin = async (): Promise<Credentials> => {
    try {
      found = await provider()
      return found
    } finally {
      search = undefined
    }
  }
  return {
    find: () => {
      if (found !== undefined && (found.expiration?.getTime() ?? Infinity) - margin > Date.now()) return found
      search ??= begin()
      return search
    },
    forget: () => {
      found = undefined
    }
  }
}

/** The chain of AWS's SDK. It is made once, and asked each time that credentials have run out. */
let chained: Promise<CredentialProvider> | undefined

const chain: CredentialProvider = async () => {
  chained ??= load("@aws-sdk/credential-providers")
  const loading = chained
  try {
    return await (
      await loading
    )()
  } catch (error) {
    if (error instanceof NoProviders) chained = undefined
    throw error
  }
}

/**
 * The name is an argument, so that bundlers leave the package out: it has several times the size of a whole handler, and a
 * function on Lambda finds its credentials in the environment.
 */
const load = async (packageName: string): Promise<CredentialProvider> => {
  const module: unknown = await import(packageName).catch((error: unknown) => {
    throw new NoProviders(error instanceof Error ? error.message : String(error))
  })
  const make: unknown =
    typeof module === "object" && module !== null ? Reflect.get(module, "fromNodeProviderChain") : undefined
  if (!isMaker(make)) throw new NoProviders("It has no fromNodeProviderChain.")
  return make()
}

const isMaker = (value: unknown): value is () => CredentialProvider => typeof value === "function"

class NoProviders extends Error {
  override readonly name = "CredentialsMissing"

  constructor(reason: string) {
    super(
      "Expected AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment, found none of both, and the package " +
        "@aws-sdk/credential-providers, which knows of other credentials, could not be loaded. Set the two, install the " +
        `package, or hand over credentials with layerWith. ${reason}`
    )
  }
}
