/**
 * Small changes of the source: a condition is negated, a bound moved by one, a statement left out, a constant changed.
 *
 * Owns: which changes of a file there are.
 * Does not own: which of them are tried, and whether anybody notices.
 */
import { parseSync } from "oxc-parser"
import type { Change } from "../sabotage/copy.ts"

export interface Mutant {
  readonly file: string
  readonly line: number
  /** What is changed into what, on one line. */
  readonly what: string
  readonly change: Change
}

/** A node of the syntax tree, of which only its place and its kind are known. */
interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
}

/** Every mutant of a file, in the order of its text. */
export const mutantsOf = (file: string, text: string): ReadonlyArray<Mutant> => {
  const { errors, program } = parseSync(file, text)
  if (errors.length > 0) throw new Error(`${file} cannot be read: ${errors[0]?.message}`)
  const mutants: Array<Mutant> = []
  const add = ({ end, start }: Pick<Node, "end" | "start">, replacement: string): void => {
    const line = text.slice(0, start).split("\n").length
    const what = `${oneLine(text.slice(start, end))} → ${oneLine(replacement) || "nothing"}`
    // The whole text is the only one that is there once for certain.
    mutants.push({
      file,
      line,
      what,
      change: { file, find: text, replace: text.slice(0, start) + replacement + text.slice(end) }
    })
  }
  visit(program, (node) => {
    for (const [place, replacement] of changesOf(node, text)) add(place, replacement)
  })
  return mutants
}

const oneLine = (text: string): string => {
  const line = text.replaceAll(/\s+/g, " ").trim()
  return line.length > 70 ? `${line.slice(0, 69)}…` : line
}

/** Types are no code, but what stands beside one is. */
const isType = ({ type }: Node): boolean =>
  type.startsWith("TS") && !["TSAsExpression", "TSNonNullExpression", "TSSatisfiesExpression"].includes(type)

const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && "type" in value && typeof value.type === "string" && "start" in value

const visit = (node: Node, look: (node: Node) => void): void => {
  if (isType(node) || node.type === "ImportDeclaration") return
  look(node)
  for (const part of Object.values(node).flat()) if (isNode(part)) visit(part, look)
}

type Replacement = readonly [place: Pick<Node, "end" | "start">, text: string]

const bounds: Readonly<Record<string, string>> = { "<": "<=", "<=": "<", ">": ">=", ">=": ">" }
const opposites: Readonly<Record<string, string>> = { "===": "!==", "!==": "===", "&&": "||", "||": "&&" }

const changesOf = (node: Node, text: string): ReadonlyArray<Replacement> => {
  const field = (name: string): unknown => Reflect.get(node, name)
  switch (node.type) {
    case "IfStatement":
    case "ConditionalExpression":
    case "WhileStatement": {
      const test = field("test")
      return isNode(test) ? [[test, `!(${text.slice(test.start, test.end)})`]] : []
    }
    case "BinaryExpression":
    case "LogicalExpression": {
      const operator = String(field("operator"))
      const other = bounds[operator] ?? opposites[operator]
      const [left, right] = [field("left"), field("right")]
      if (other === undefined || !isNode(left) || !isNode(right)) return []
      const between = text.slice(left.end, right.start)
      return [[{ start: left.end, end: right.start }, between.replace(operator, other)]]
    }
    case "ExpressionStatement":
      // A text by itself is a directive.
      return field("directive") ? [] : [[node, ";"]]
    case "Literal": {
      const value = field("value")
      if (typeof value === "boolean") return [[node, String(!value)]]
      return typeof value === "number" ? [[node, String(value + 1)]] : []
    }
    default:
      return []
  }
}
