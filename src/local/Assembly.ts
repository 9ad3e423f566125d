/**
 * The assembly of an engine: machine, functions and server, in the order in which they start and stop.
 *
 * Owns: the connection of the parts: the effects of the engine become calls of functions, and their ends become reports to
 * the engine.
 * Does not own: the parts.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import type { ServeError } from "effect/http/HttpServerError"
import * as SchemaParser from "effect/SchemaParser"
import * as Scope from "effect/Scope"
import { randomUUID } from "node:crypto"
import * as Service from "../engine/Service.ts"
import { squash } from "../hosting/plain.ts"
import { InvocationEvent } from "../wire/Invocation.ts"
import type { Backend, PlainCall } from "./Api.ts"
import {
  adviceIn,
  invocationEnd,
  lookupIn,
  targetEnd,
  type FunctionCall,
  type FunctionEnd,
  type Functions
} from "./Functions.ts"
import { api, serve, type Patience } from "./Http.ts"
import { Machine, type Work } from "./Machine.ts"
import { StorageError } from "./Sqlite.ts"
import { Store } from "./Store.ts"
import { LeapingTime, realTime, type Time } from "./Time.ts"
import { ui } from "./ui/Ui.ts"

export interface AssemblyOptions {
  readonly database: string
  readonly maxDatabaseBytes?: number | undefined
  readonly host: "127.0.0.1" | "::1"
  /** The port; 0 means a free one. */
  readonly port: number
  /** Creates the functions of an engine with this address. */
  readonly functions: (url: Effect.Effect<string>) => Effect.Effect<Functions, never, Scope.Scope>
  /** How long clients may take to send a request. Default: ten seconds for headers, a minute in all. */
  readonly patience?: Patience | undefined
  /** Whether time leaps over waits. Default: no. */
  readonly skipTime?: boolean | undefined
  /** Whether there is a web page for people. Default: yes. */
  readonly ui?: boolean | undefined
  readonly engine?: Partial<Omit<Service.Options, "lookup" | "missingAdvice" | "stampStep">> | undefined
}

export interface Assembled {
  readonly machine: Machine
  readonly time: Time
  readonly url: string
  readonly functions: Functions
  /** The number of executions that were open when the engine started and that continue. */
  readonly resumed: number
}

/** Starts an engine, which stops when the scope closes. */
export const assemble = (options: AssemblyOptions): Effect.Effect<Assembled, StorageError | ServeError, Scope.Scope> =>
  Effect.gen(function* () {
    const store = yield* Store.open({ path: options.database, maxBytes: options.maxDatabaseBytes })
    const address = yield* Deferred.make<string>()
    // Their scope has its place here, although they start with their first call.
    const running = yield* Scope.fork(yield* Effect.scope)
    const functions = yield* Scope.provide(options.functions(Deferred.await(address)), running)
    const fork = yield* FiberSet.makeRuntime()
    const clock = yield* Clock.Clock
    const time = options.skipTime === true ? new LeapingTime(realTime(clock, fork)) : realTime(clock, fork)
    const machine = yield* loadMachine(store, functions, time, options)
    // Last acquired, first released: no report may arrive once functions are being stopped.
    yield* Effect.addFinalizer(() => Effect.sync(() => machine.stop()))
    const { port } = yield* serve(
      options.host,
      options.port,
      api(
        backendOf(machine, functions, time, fork),
        options.ui === false ? undefined : ui({ machine, functions, database: options.database })
      ),
      options.patience
    )
    const url = `http://${options.host === "::1" ? "[::1]" : options.host}:${port}`
    yield* Deferred.succeed(address, url)
    const resumed = machine.start((work) => void fork(time.during(perform(machine, functions, work))))
    yield* Effect.forkScoped(tidying(machine))
    return { machine, time, url, functions, resumed }
  })

type Fork = <A>(effect: Effect.Effect<A>) => Fiber.Fiber<A>

const loadMachine = (
  store: Store,
  functions: Functions,
  time: Time,
  { engine }: AssemblyOptions
): Effect.Effect<Machine, StorageError> => {
  const config = Service.makeConfig({
    ...engine,
    lookup: lookupIn(functions),
    missingAdvice: adviceIn(functions),
    // AWS's wire format holds nothing smaller.
    stampStep: 1
  })
  return Effect.try({
    try: () => new Machine({ store, config, time }),
    catch: (error) => {
      if (error instanceof StorageError) return error
      throw error
    }
  })
}

const backendOf = (machine: Machine, functions: Functions, time: Time, fork: Fork): Backend => ({
  machine,
  functions,
  call: ({ functionName, payload, version, ...rest }: PlainCall) =>
    Effect.sync(() =>
      fork(
        Effect.map(
          time.during(
            run(functions, {
              ...rest,
              requestId: randomUUID(),
              functionName,
              version,
              functionArn: `arn:aws:lambda:${machine.config.region}:${machine.config.account}:function:${functionName}:${version}`,
              payload: payload ?? "{}"
            })
          ),
          targetEnd
        )
      )
    )
})

/** Runs an effect of the engine, and reports its end. */
const perform = (machine: Machine, functions: Functions, work: Work): Effect.Effect<void> =>
  Effect.map(run(functions, callOf(work)), (end) =>
    work._tag === "InvokeFunction"
      ? machine.invocationEnded(work.executionArn, work.invocationId, invocationEnd(end))
      : machine.targetEnded(work.executionArn, work.operationId, targetEnd(end))
  )

/** Runs a call. If what runs it breaks, the call has crashed: nothing else would ever end it. */
const run = (functions: Functions, call: FunctionCall): Effect.Effect<FunctionEnd> =>
  Effect.catchCause(functions.run(call), (cause) =>
    Cause.hasInterruptsOnly(cause)
      ? Effect.failCause(cause)
      : Effect.as<FunctionEnd>({ _tag: "Exited", error: squash(cause) })(
          Effect.logError(`${call.functionName} cannot be called`, cause)
        )
  )

const callOf = (work: Work): FunctionCall => ({
  functionName: work.functionName,
  version: work.version,
  functionArn: work.functionArn,
  tenantId: work.tenantId,
  traceHeader: work.traceHeader,
  ...(work._tag === "InvokeFunction"
    ? { requestId: work.invocationId, payload: JSON.stringify(encodeEvent(work.event)) }
    : { requestId: randomUUID(), payload: work.payload ?? "{}" })
})

const encodeEvent = SchemaParser.encodeSync(InvocationEvent)

const tidying = (machine: Machine): Effect.Effect<never> =>
  Effect.forever(Effect.andThen(Effect.sync(machine.tidy), Effect.sleep("1 hour")))
