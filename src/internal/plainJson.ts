/**
 * Writes values without a Schema as JSON, strictly: whatever JSON would silently change is refused with the path at
 * which it stands.
 */

const refuse = (path: string, found: string): never => {
  throw new TypeError(
    `Expected plain data at ${path === "" ? "the top" : path}, found ${found}. Give the operation a Schema.`
  )
}

const describe = (value: object): string => {
  const name: unknown = value.constructor?.name
  return typeof name === "string" && name !== "" ? `an instance of ${name}` : "an object with a prototype of its own"
}

const check = (value: unknown, path: string, above: Array<object>): void => {
  switch (typeof value) {
    case "string":
    case "boolean":
      return
    case "number":
      if (!Number.isFinite(value)) refuse(path, String(value))
      return
    case "object":
      if (value !== null) checkObject(value, path, above)
      return
    default:
      refuse(path, typeof value === "undefined" ? "undefined" : `a ${typeof value}`)
  }
}

const checkObject = (value: object, path: string, above: Array<object>): void => {
  if (above.includes(value)) refuse(path, "a reference to a value that contains it")
  if (typeof (value as { readonly toJSON?: unknown }).toJSON === "function")
    refuse(path, "a value with a toJSON method")
  above.push(value)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (Array.isArray(value)) {
    if (prototype !== Array.prototype) refuse(path, describe(value))
    for (let i = 0; i < value.length; i++) check(value[i], `${path}[${i}]`, above)
    if (Object.keys(value).length > value.length) refuse(path, "an array with fields of its own")
  } else {
    if (prototype !== Object.prototype && prototype !== null) refuse(path, describe(value))
    if (Object.getOwnPropertySymbols(value).length > 0) refuse(path, "a property with a symbol as its key")
    for (const [key, member] of Object.entries(value)) {
      if (member !== undefined) check(member, `${path}[${JSON.stringify(key)}]`, above)
    }
  }
  above.pop()
}

/** The JSON text of plain data. Throws a `TypeError` that names the path of whatever is not plain. */
export const stringifyPlain = (value: unknown): string => {
  try {
    check(value, "", [])
    return JSON.stringify(value)
  } catch (cause) {
    if (cause instanceof RangeError) {
      throw new TypeError("Expected plain data, found a value that is nested too deeply.", { cause })
    }
    throw cause
  }
}
