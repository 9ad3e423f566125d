/**
 * The identity of an operation, by which a replay finds the record of the first run.
 *
 * Owns: how an id is made. Does not own: occurrences, which a namespace counts.
 *
 * Invariants:
 * 1. An id depends on the id of the namespace, the name, and how often the namespace had used the name before.
 * 2. A record that is not an operation of the program has an identity that no name can have: the hashed text contains
 *    one more NUL.
 *
 * @since 0.1.0
 */
import { md5 } from "../internal/md5.ts"

/** Returns the id of an operation: 16 hexadecimal digits. A branch has the empty name, and its index as occurrence. */
export const operationId = (namespaceId: string, name: string, occurrence: number): string =>
  md5(`${namespaceId}\0${name}\0${occurrence}`).slice(0, 16)

/** Returns the id of a mark: see `Marks.ts`. */
export const markId = (kind: string, of: string, label: string): string =>
  md5(`\0${kind}\0${of}\0${label}`).slice(0, 16)
