/**
 * Backends for tests: the service in memory, with virtual time, and what comes back from those that a test plays.
 *
 * @since 0.1.0
 */
export * as Reply from "./Reply.ts"
export * as TestEngine from "./TestEngine.ts"
