/**
 * Writes values as JSON, strictly: a value that JSON would silently change is refused, with the path at which it stands.
 *
 * Owns: the definition of plain data, which is what JSON gives back unchanged, from whatever realm it comes; and how to
 * write values that JSON cannot represent.
 * Does not own: Schemas, which make plain data of all other values.
 */
import { cast } from "effect/Function"
import * as Predicate from "effect/Predicate"
import { instanceName, shortened } from "./found.ts"
import { isDate } from "./realm.ts"

/**
 * Returns the JSON text of a value in which only fields may be undefined. Throws a `TypeError` with advice, which names the
 * path of the part that is not plain. `within` is where the value stands in another one, in which no field may be undefined.
 */
export const stringifyPlain = (value: unknown, advice = "Give the operation a Schema.", within?: Within): string =>
  isScalar(value)
    ? JSON.stringify(value)
    : notTooDeep(() => {
        const look = new Look(advice, undefined, within)
        look.at(value)
        return textOf(value, look, undefined)
      })

/** Checks whether JSON writes a value unchanged, without inspecting its content. */
const isScalar = (value: unknown): boolean =>
  typeof value === "number"
    ? Number.isFinite(value) && !Object.is(value, -0)
    : typeof value === "string" || typeof value === "boolean" || value === null

interface Within {
  readonly path: ReadonlyArray<string | number>
}

/** A kind of value that plain data may also hold, and how it is made plain. */
export interface Form {
  readonly is: (value: object) => boolean
  readonly toPlain: (value: object) => unknown
  readonly fromPlain: (plain: unknown) => unknown
}

const none: Form = {
  is: () => false,
  toPlain: (value) => value,
  fromPlain: () => {
    throw new TypeError(
      "Expected plain data, found the result of a batch, and no module that knows one. Import effect-durable/BatchResult, or give the operation a Schema"
    )
  }
}

let form = none

/**
 * Registers a form. The module of the form does that when it is loaded, so that a program that does not use the form does
 * not carry it.
 */
export const formed = (known: Form): void => {
  form = known
}

/**
 * Returns the text of plain data. In addition, a list may hold undefined, for which JSON has only null, and the data may
 * hold values with a form. Both are written with a mark, which stands before the value.
 */
export const writePlain = (value: unknown): string => (isScalar(value) ? JSON.stringify(value) : writeStructure(value))

const writeStructure = (value: unknown): string =>
  notTooDeep(() => {
    const look = new Look("Give the operation a Schema.", form)
    look.at(value)
    const plain = look.isMarked ? undefined : textOf(value, look, undefined)
    if (plain?.startsWith(marked) === false) return plain
    let mark = "~"
    while (look.likeMarks.has(mark)) mark += "~"
    return `${marked}${JSON.stringify(mark)},"value":${textOf(value, look, mark)}}`
  })

/** Reads what {@link writePlain} wrote, and any other JSON text unchanged. Throws for text that is no JSON. */
export const readPlain = (text: string): unknown => {
  const parsed: unknown = JSON.parse(text)
  if (!text.startsWith(marked)) return parsed
  const { "~mark": mark, value } = cast<unknown, { readonly "~mark": unknown; readonly value?: unknown }>(parsed)
  return typeof mark === "string" && value !== undefined ? unmarked(value, mark, form) : parsed
}

/** The beginning of a text that holds marks. */
const marked = `{"~mark":`

const unmarked = (value: unknown, mark: string, form: Form): unknown => {
  if (typeof value !== "object" || value === null) return value
  const keys = Object.keys(value)
  for (const key of keys) {
    const member: unknown = Reflect.get(value, key)
    const own = Array.isArray(value) && member === mark ? undefined : unmarked(member, mark, form)
    // A key may be __proto__.
    if (own !== member) Object.defineProperty(value, key, { value: own })
  }
  return keys.length === 1 && keys[0] === mark ? form.fromPlain(Reflect.get(value, mark)) : value
}

const notTooDeep = (write: () => string): string => {
  try {
    return write()
  } catch (cause) {
    throw isTooDeep(cause) ? new TypeError(tooDeep, { cause }) : cause
  }
}

/** Checks whether a value could not be walked through, because it is nested too deeply for the stack. */
export const isTooDeep = (cause: unknown): boolean => cause instanceof RangeError && /call stack/.test(cause.message)

export const tooDeep = "Expected plain data, found a value that is nested too deeply."

/**
 * Checks whether a value is left over from an effect whose type is void: `Ref.set` returns the cell that it has set, which
 * no type allows.
 */
export const isLeftOver = (value: unknown): boolean => Predicate.hasProperty(value, "~effect/MutableRef")

class Look {
  /** Whether the value holds something that `JSON.stringify` would write in another way. */
  isOwn = false
  /** Whether the value holds something that JSON cannot represent. */
  isMarked = false
  /** What could be mistaken for a mark: texts in lists, and keys. */
  readonly likeMarks = new Set<string>()
  /** The values with a form, made plain. */
  readonly formed = new Map<object, unknown>()
  readonly #advice: string
  readonly #form: Form | undefined
  readonly #within: Within | undefined
  readonly #above: Array<object> = []
  readonly #path: Array<string | number>

  /**
   * With a form, a value that JSON cannot represent may be marked, and a left-over of a void effect counts as undefined.
   */
  constructor(advice: string, form: Form | undefined, within?: Within) {
    this.#advice = advice
    this.#form = form
    this.#within = within
    this.#path = [...(within?.path ?? [])]
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
    if (this.#form?.is(value) === true) this.#atFormed(value, this.#form)
    else if (Array.isArray(value)) this.#atArray(value)
    else this.#atRecord(value)
    this.#above.pop()
  }

  #atFormed(value: object, form: Form): void {
    const plain = form.toPlain(value)
    this.isMarked = true
    this.formed.set(value, plain)
    this.at(plain)
  }

  #atArray(value: ReadonlyArray<unknown>): void {
    if (!isArrayPrototype(Object.getPrototypeOf(value))) this.#refuse(instanceName(value))
    for (let i = 0; i < value.length; i++) this.#atElement(value, i)
    if (Object.keys(value).length > value.length) this.#refuse("an array with fields of its own")
  }

  #atElement(list: ReadonlyArray<unknown>, index: number): void {
    const value = list[index]
    if (this.#form !== undefined && this.#isNothing(value) && index in list) {
      this.isMarked = true
      return
    }
    if (typeof value === "string") this.#noteMark(value)
    this.#below(index, value)
  }

  #noteMark(text: string): void {
    if (text.startsWith("~")) this.likeMarks.add(text)
  }

  #isNothing(value: unknown): boolean {
    if (value === undefined) return true
    if (typeof value !== "object" && typeof value !== "function") return false
    const isLeft = this.#form !== undefined && isLeftOver(value)
    if (isLeft) this.isOwn = true
    return isLeft
  }

  #atRecord(value: object): void {
    if (!isRecordPrototype(Object.getPrototypeOf(value))) this.#refuse(instanceName(value))
    if (Object.getOwnPropertySymbols(value).length > 0) this.#refuse("a property with a symbol as its key")
    for (const key of Object.keys(value)) {
      const member: unknown = Reflect.get(value, key)
      this.#noteMark(key)
      if (this.#within !== undefined || !this.#isNothing(member)) this.#below(key, member)
    }
  }

  #below(key: string | number, value: unknown): void {
    // Nothing is refused here, so the path is not needed.
    if (typeof value === "string" || typeof value === "boolean") return
    this.#path.push(key)
    this.at(value)
    this.#path.pop()
  }

  #refuse(found: string): never {
    const path = shortened(this.#path.map((key) => `[${JSON.stringify(key)}]`).join(""))
    throw new TypeError(`Expected plain data at ${path || "the top"}, found ${found}. ${this.#advice}`)
  }
}

// Each realm, such as the contexts of Jest and of Vitest's vm pools, has its own root prototype for objects and for arrays.

const isRecordPrototype = (prototype: unknown): boolean =>
  prototype === Object.prototype || prototype === null || isRoot(prototype)

/**
 * Checks for the prototype of all arrays of a realm, which is an array itself. The prototype of a subclass of arrays is
 * not.
 */
const isArrayPrototype = (prototype: unknown): boolean =>
  prototype === Array.prototype || (Array.isArray(prototype) && isRoot(Object.getPrototypeOf(prototype)))

/** Checks whether a value is the prototype of all objects of a realm. */
const isRoot = (prototype: unknown): boolean =>
  typeof prototype === "object" &&
  prototype !== null &&
  Object.getPrototypeOf(prototype) === null &&
  Object.hasOwn(prototype, "isPrototypeOf") &&
  Object.hasOwn(prototype, "__defineGetter__")

const textOf = (value: unknown, { formed, isOwn }: Look, mark: string | undefined): string =>
  isOwn || mark !== undefined ? write(value, mark, formed) : JSON.stringify(value)

/** Writes plain data as JSON that keeps minus zero, which JSON has, and that marks what JSON cannot represent. */
const write = (value: unknown, mark: string | undefined, formed: Look["formed"]): string => {
  if (typeof value !== "object" || value === null) return Object.is(value, -0) ? "-0" : JSON.stringify(value)
  if (formed.has(value)) return `{${JSON.stringify(mark)}:${write(formed.get(value), mark, formed)}}`
  if (Array.isArray(value)) {
    return `[${value.map((member: unknown) => write(isNothing(member) ? mark : member, mark, formed)).join(",")}]`
  }
  const members = Object.entries(value).filter(([, member]) => !isNothing(member))
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${write(member, mark, formed)}`).join(",")}}`
}

const isNothing = (value: unknown): boolean => value === undefined || isLeftOver(value)
