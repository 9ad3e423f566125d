/**
 * The default port and database of a local engine, for the engine itself and for code that looks for one without loading
 * it.
 *
 * Owns: these two. Does not own: the other options of an engine.
 *
 * @since 0.1.0
 */

/** The port of the API. */
export const defaultPort = 9_177

/** The file of the database, in the current folder. */
export const defaultDatabase = ".durable/local.db"
