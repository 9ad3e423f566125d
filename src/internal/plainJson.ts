/**
 * Writes values as JSON, strictly: whatever JSON would silently change is refused with the path at which it stands.
 *
 * Owns: what plain data is: what JSON gives back as it was, from whatever realm it comes; and how undefined in a list is
 * written, for which JSON has nothing.
 * Does not own: Schemas, which make plain data of everything else.
 */
import { cast } from "effect/Function"
import * as Predicate from "effect/Predicate"
import { isDate } from "./realm.ts"

/**
 * The JSON text of a value whose only undefined parts are fields. Throws a `TypeError` that names the path of whatever is
 * not plain, with an advice.
 */
export const stringifyPlain = (value: unknown, advice = "Give the operation a Schema."): string =>
  notTooDeep(() => {
    const look = new Look(advice, false)
    look.at(value)
    return textOf(value, look, undefined)
  })

/**
 * The text of plain data, in which a list may hold undefined. Such a list has a mark in that place, which stands before the
 * value: JSON itself has nothing for it but null, which may be meant.
 */
export const writePlain = (value: unknown): string =>
  notTooDeep(() => {
    const look = new Look("Give the operation a Schema.", true)
    look.at(value)
    if (!look.hasUndefined) {
      const text = textOf(value, look, undefined)
      return text.startsWith(marked) ? `${marked}"undefined","value":${text}}` : text
    }
    let mark = "undefined"
    while (look.likeMarks.has(mark)) mark += "_"
    return `${marked}${JSON.stringify(mark)},"value":${textOf(value, look, mark)}}`
  })

/** Reads what {@link writePlain} wrote, and any other JSON text as it is. Throws a `SyntaxError` at what is none. */
export const readPlain = (text: string): unknown => {
  const parsed: unknown = JSON.parse(text)
  if (!text.startsWith(marked)) return parsed
  const { "~undefined": mark, value } = cast<unknown, { readonly "~undefined": unknown; readonly value?: unknown }>(
    parsed
  )
  return typeof mark === "string" && value !== undefined ? unmarked(value, mark) : parsed
}

/** How a text begins in which marks stand for undefined. */
const marked = `{"~undefined":`

const unmarked = (value: unknown, mark: string): unknown => {
  if (Array.isArray(value)) {
    value.forEach((member: unknown, index) => {
      value[index] = member === mark ? undefined : unmarked(member, mark)
    })
  } else if (typeof value === "object" && value !== null) {
    for (const member of Object.values(value)) unmarked(member, mark)
  }
  return value
}

const notTooDeep = (write: () => string): string => {
  try {
    return write()
  } catch (cause) {
    if (cause instanceof RangeError) {
      throw new TypeError("Expected plain data, found a value that is nested too deeply.", { cause })
    }
    throw cause
  }
}

/** What is void by its type may be anything: `Ref.set` ends with the cell that it has set, which no type lets through. */
export const isLeftOver = (value: unknown): boolean => Predicate.hasProperty(value, "~effect/MutableRef")

class Look {
  /** Whether there is something that `JSON.stringify` would write in another way. */
  isOwn = false
  hasUndefined = false
  /** Texts in lists that a mark could be taken for. */
  readonly likeMarks = new Set<string>()
  readonly #advice: string
  readonly #mayMark: boolean
  readonly #above: Array<object> = []
  readonly #path: Array<string | number> = []

  constructor(advice: string, mayMark: boolean) {
    this.#advice = advice
    this.#mayMark = mayMark
  }

  at(value: unknown): void {
    switch (typeof value) {
      case "string":
      case "boolean":
        return
      case "number":
        if (!Number.isFinite(value)) this.#refuse(String(value))
        if (value === 0 && Object.is(value, -0)) this.isOwn = true
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
    for (let i = 0; i < value.length; i++) this.#atElement(value, i)
    if (Object.keys(value).length > value.length) this.#refuse("an array with fields of its own")
  }

  #atElement(list: ReadonlyArray<unknown>, index: number): void {
    const value = list[index]
    if (this.#mayMark) {
      if (this.#isNothing(value) && index in list) {
        this.hasUndefined = true
        return
      }
      if (typeof value === "string" && value.startsWith("undefined")) this.likeMarks.add(value)
    }
    this.#below(index, value)
  }

  /** Whether there is nothing to write: what is left over is as good as undefined. */
  #isNothing(value: unknown): boolean {
    if (value === undefined) return true
    const isLeft = this.#mayMark && isLeftOver(value)
    if (isLeft) this.isOwn = true
    return isLeft
  }

  #atRecord(value: object): void {
    if (!isRecordPrototype(Object.getPrototypeOf(value))) this.#refuse(describe(value))
    if (Object.getOwnPropertySymbols(value).length > 0) this.#refuse("a property with a symbol as its key")
    for (const [key, member] of Object.entries(value)) if (!this.#isNothing(member)) this.#below(key, member)
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

const textOf = (value: unknown, { isOwn }: Look, mark: string | undefined): string =>
  isOwn || mark !== undefined ? write(value, mark) : JSON.stringify(value)

/** Plain data as JSON that keeps minus zero, which JSON has, and that has a mark for undefined in a list. */
const write = (value: unknown, mark: string | undefined): string => {
  if (typeof value !== "object" || value === null) return Object.is(value, -0) ? "-0" : JSON.stringify(value)
  if (Array.isArray(value)) {
    return `[${value.map((member: unknown) => write(isNothing(member) ? mark : member, mark)).join(",")}]`
  }
  const members = Object.entries(value).filter(([, member]) => !isNothing(member))
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${write(member, mark)}`).join(",")}}`
}

const isNothing = (value: unknown): boolean => value === undefined || isLeftOver(value)
