/**
 * Access to undecoded values.
 *
 * @since 0.1.0
 */

/** Returns a property of an object, or undefined for any other value. */
export const propertyAt = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined

/** Returns a property that is a non-empty text. */
export const textAt = (value: unknown, key: string): string | undefined => {
  const text = propertyAt(value, key)
  return typeof text === "string" && text !== "" ? text : undefined
}
