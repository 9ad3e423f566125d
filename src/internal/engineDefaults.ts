/**
 * Where a local engine is unless somebody says otherwise, for the engine itself and for those who look for it without loading it.
 *
 * Owns: these two. Does not own: what else an engine is given.
 *
 * @since 0.1.0
 */

/** The port of the API. */
export const defaultPort = 9_177

/** The file of the database, in the current folder. */
export const defaultDatabase = ".durable/local.db"
