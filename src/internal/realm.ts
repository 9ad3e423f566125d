/**
 * Type checks for values of any realm. The contexts of Jest and of Vitest's vm pools have globals of their own, and
 * `instanceof` knows only those of one realm.
 */

export const isError = (value: unknown): value is Error => value instanceof Error || tagOf(value) === "[object Error]"

export const isDate = (value: unknown): value is Date => value instanceof Date || tagOf(value) === "[object Date]"

const tagOf = (value: unknown): string => Object.prototype.toString.call(value)
