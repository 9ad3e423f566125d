/**
 * Backends for tests: the service in memory, with virtual time.
 *
 * @since 0.1.0
 */
export * as TestEngine from "./TestEngine.ts"
