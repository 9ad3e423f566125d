/**
 * The backend for your own machine: the durable part of Lambda, on SQLite.
 *
 * @since 0.1.0
 */
export * as LocalEngine from "./LocalEngine.ts"
