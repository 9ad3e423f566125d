/**
 * The values of the current call, where AWS's tools look for them on a runtime with concurrent calls.
 *
 * A process that finds `AWS_LAMBDA_MAX_CONCURRENCY` in its environment takes them from `awslambda.InvokeStore`: Powertools
 * does so when its classes are created.
 *
 * Owns: the members of that store, and the keys of what the runtime puts into it.
 * Does not own: calls.
 *
 * @since 0.1.0
 */
import { AsyncLocalStorage } from "node:async_hooks"
import type { InvocationContext } from "../lambda/LambdaContext.ts"

const names = { requestId: "REQUEST_ID", trace: "X_RAY_TRACE_ID", tenantId: "TENANT_ID" } as const

const keyOf = (name: keyof typeof names): symbol => Symbol.for(`_AWS_LAMBDA_${names[name]}`)

const calls = new AsyncLocalStorage<Record<PropertyKey, unknown>>()

const get = (key: PropertyKey): unknown => calls.getStore()?.[key]

/** The store, with the members that AWS's runtime for Node gives it. */
const store = {
  getContext: () => calls.getStore(),
  hasContext: () => calls.getStore() !== undefined,
  get,
  set: (key: PropertyKey, value: unknown): void => {
    const values = calls.getStore()
    if (values === undefined) throw new Error("There is no call whose value could be set.")
    values[key] = value
  },
  run: <A>(values: Record<PropertyKey, unknown>, call: () => A): A => calls.run(values, call),
  getRequestId: () => get(keyOf("requestId")) ?? "-",
  getXRayTraceId: () => get(keyOf("trace")),
  getTenantId: () => get(keyOf("tenantId"))
}

/** Puts the store where tools look for it. It has to be there before they are loaded. */
export const install = (): void => {
  Reflect.set(globalThis, "awslambda", { InvokeStore: store })
}

/** Runs a call with a store of its own. */
export const within = <A>({ awsRequestId, tenantId, xRayTraceId }: InvocationContext, call: () => A): A =>
  store.run({ [keyOf("requestId")]: awsRequestId, [keyOf("trace")]: xRayTraceId, [keyOf("tenantId")]: tenantId }, call)
