/**
 * The backend for your own machine: Lambda's durable functions, on SQLite.
 *
 * @since 0.1.0
 */
export * as LocalEngine from "./LocalEngine.ts"
