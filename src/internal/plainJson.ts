/**
 * Writes values as JSON, strictly: whatever JSON would silently change is refused with the path at which it stands.
 *
 * Owns: what plain data is: what JSON gives back as it was, from whatever realm it comes.
 * Does not own: Schemas, which make plain data of everything else.
 */
import { cast } from "effect/Function"
import { isDate } from "./realm.ts"

/** The JSON text of plain data. Throws a `TypeError` that names the path of whatever is not plain, with an advice. */
export const stringifyPlain = (value: unknown, advice = "Give the operation a Schema."): string => {
  const look = new Look(advice)
  try {
    look.at(value)
    // JSON has a minus zero, which only `JSON.stringify` does not know.
    return look.hasMinusZero ? write(value) : JSON.stringify(value)
  } catch (cause) {
    if (cause instanceof RangeError) {
      throw new TypeError("Expected plain data, found a value that is nested too deeply.", { cause })
    }
    throw cause
  }
}

class Look {
  hasMinusZero = false
  readonly #advice: string
  readonly #above: Array<object> = []
  readonly #path: Array<string | number> = []

  constructor(advice: string) {
    this.#advice = advice
  }

  at(value: unknown): void {
    switch (typeof value) {
      case "string":
      case "boolean":
        return
      case "number":
        if (!Number.isFinite(value)) this.#refuse(String(value))
        if (value === 0 && Object.is(value, -0)) this.hasMinusZero = true
        return
      case "object":
        if (value !== null) this.#atObject(value)
        return
      default:
        this.#refuse(typeof value === "undefined" ? "undefined" : `a ${typeof value}`)
    }
  }

  #atObject(value: object): void {
    if (this.#above.includes(value)) this.#refuse("a reference to a value that contains it")
    if (typeof cast<object, { readonly toJSON?: unknown }>(value).toJSON === "function") {
      this.#refuse(isDate(value) ? "a Date" : "a value with a toJSON method")
    }
    this.#above.push(value)
    if (Array.isArray(value)) this.#atArray(value)
    else this.#atRecord(value)
    this.#above.pop()
  }

  #atArray(value: ReadonlyArray<unknown>): void {
    if (!isArrayPrototype(Object.getPrototypeOf(value))) this.#refuse(describe(value))
    for (let i = 0; i < value.length; i++) this.#below(i, value[i])
    if (Object.keys(value).length > value.length) this.#refuse("an array with fields of its own")
  }

  #atRecord(value: object): void {
    if (!isRecordPrototype(Object.getPrototypeOf(value))) this.#refuse(describe(value))
    if (Object.getOwnPropertySymbols(value).length > 0) this.#refuse("a property with a symbol as its key")
    for (const [key, member] of Object.entries(value)) if (member !== undefined) this.#below(key, member)
  }

  #below(key: string | number, value: unknown): void {
    this.#path.push(key)
    this.at(value)
    this.#path.pop()
  }

  #refuse(found: string): never {
    const path = this.#path.map((key) => `[${JSON.stringify(key)}]`).join("")
    throw new TypeError(`Expected plain data at ${path === "" ? "the top" : path}, found ${found}. ${this.#advice}`)
  }
}

// Each realm, such as the contexts of Jest and of Vitest's vm pools, has a root of its own for objects and for arrays.

const isRecordPrototype = (prototype: unknown): boolean =>
  prototype === Object.prototype || prototype === null || isRoot(prototype)

/** The prototype of all arrays of a realm is an array itself, and that of a class of arrays is none. */
const isArrayPrototype = (prototype: unknown): boolean =>
  prototype === Array.prototype || (Array.isArray(prototype) && isRoot(Object.getPrototypeOf(prototype)))

/** Whether something is the prototype of all objects of a realm. */
const isRoot = (prototype: unknown): boolean =>
  typeof prototype === "object" &&
  prototype !== null &&
  Object.getPrototypeOf(prototype) === null &&
  Object.hasOwn(prototype, "isPrototypeOf") &&
  Object.hasOwn(prototype, "__defineGetter__")

const describe = (value: object): string => {
  const name: unknown = value.constructor?.name
  return typeof name === "string" && name !== "" && name !== "Object"
    ? `an instance of ${name}`
    : "an object with a prototype of its own"
}

/** Plain data as JSON that keeps minus zero. */
const write = (value: unknown): string => {
  if (typeof value !== "object" || value === null) return Object.is(value, -0) ? "-0" : JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(write).join(",")}]`
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${write(member)}`).join(",")}}`
}
