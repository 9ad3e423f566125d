/**
 * Looks at values that nobody has decoded.
 *
 * @since 0.1.0
 */

/** A property of an object, or undefined of anything else. */
export const propertyAt = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined

/** A property that is a text and not an empty one. */
export const textAt = (value: unknown, key: string): string | undefined => {
  const text = propertyAt(value, key)
  return typeof text === "string" && text !== "" ? text : undefined
}
