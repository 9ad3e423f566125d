/**
 * The backend for a machine of your own: the durable part of Lambda, on SQLite.
 *
 * @since 0.1.0
 */
export * as LocalEngine from "./LocalEngine.ts"
