/**
 * Backends for tests: the service in memory, with virtual time; replies of simulated functions and callbacks; faults for any
 * backend; and trees of executions.
 *
 * @since 0.1.0
 */
export * as Faults from "./Faults.ts"
export * as Reply from "./Reply.ts"
export * as TestEngine from "./TestEngine.ts"
export * as Tree from "./Tree.ts"
