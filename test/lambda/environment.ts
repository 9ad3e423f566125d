/**
 * The variables by which clients of AWS know where they are and who they are.
 */
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import { vi } from "vitest"
import { loopback, type Loopback, type Respond } from "./loopback.ts"

/** Sets variables until the scope closes. An undefined one is not set. */
export const variables = (values: Readonly<Record<string, string | undefined>>): Effect.Effect<void, never, Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      for (const [name, value] of Object.entries(values)) vi.stubEnv(name, value)
    }),
    () => Effect.sync(() => vi.unstubAllEnvs())
  )

/** Points the environment at a server, as for every AWS client, until the scope closes. */
export const environment = (
  respond: Respond,
  more: Readonly<Record<string, string | undefined>> = {}
): Effect.Effect<Loopback, never, Scope> =>
  Effect.gen(function* () {
    const server = yield* loopback(respond)
    yield* variables({
      AWS_ENDPOINT_URL_LAMBDA: server.url,
      AWS_REGION: "eu-north-1",
      AWS_ACCESS_KEY_ID: "AKIDENVIRONMENT",
      AWS_SECRET_ACCESS_KEY: "secret",
      AWS_CONFIG_FILE: "/dev/null",
      AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
      ...more
    })
    return server
  })
