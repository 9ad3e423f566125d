/** What the checks of public text find, and what they do not let pass. */
import { assert, describe, it } from "@effect/vitest"
import { parseComment } from "../../scripts/reference/comment.ts"
import { findProblems } from "../../scripts/reference/demands.ts"
import type { Declaration } from "../../scripts/reference/exports.ts"
import { missingTables, withTables } from "../../scripts/reference/options.ts"
import { fences, markdownBlocks, markdownFiles } from "./blocks.ts"
import { commandsIn, isForm } from "./commands.ts"
import { anchorsIn } from "./links.ts"
import { matches } from "./quoted.ts"

const page = (...lines: ReadonlyArray<string>) => fences("page.md", lines)

describe("a block", () => {
  it("is found in a list and behind a longer fence, with what stands behind its language", () => {
    const blocks = page("- so:", "", "  ```sh", "  npm ci", "  ```", "", "````ts not run: no network", "```", "````")
    assert.deepStrictEqual(
      blocks.map(({ code, info, language, line }) => ({ code, info, language, line })),
      [
        { code: "npm ci", info: "", language: "sh", line: 3 },
        { code: "```", info: "not run: no network", language: "ts", line: 7 }
      ]
    )
  })

  it("says nothing behind its language that no check reads", () => {
    for (const { file, info, language, line } of markdownFiles.flatMap(markdownBlocks)) {
      const known = language === "ts" ? /^(?:not run: .+)?$/ : language === "text" ? /^(?:message: .+)?$/ : /^$/
      assert.match(info, known, `${file}:${line}`)
    }
  })

  it("has an end", () => {
    assert.throws(() => page("```ts", "1"), "page.md:1")
  })
})

describe("a command line", () => {
  const linesOf = (...lines: ReadonlyArray<string>) => commandsIn(page(...lines)).map(({ line }) => line)

  it("is read as a shell reads it: comments, chains and continued lines", () => {
    const lines = linesOf(
      "```sh",
      "npm ci && npm start # first",
      "# nothing",
      "npx esbuild a.ts \\",
      "  --bundle",
      "```"
    )
    assert.deepStrictEqual(lines, ["npm ci", "npm start", "npx esbuild a.ts --bundle"])
  })

  it("has its output right below it", () => {
    const [near] = commandsIn(page("```sh", "npm start", "```", "", "```text", "done", "```"))
    assert.strictEqual(near?.output, "done")
    const [far] = commandsIn(page("```sh", "npm start", "```", "", "Then:", "", "```text", "done", "```"))
    assert.isUndefined(far?.output)
  })

  it("has its output behind it on a console", () => {
    const commands = commandsIn(page("```console", "$ npm start", "one", "two", "$ npm ci", "```"))
    assert.deepStrictEqual(
      commands.map(({ line, output }) => ({ line, output })),
      [
        { line: "npm start", output: "one\ntwo\n" },
        { line: "npm ci", output: undefined }
      ]
    )
  })

  it("is no command but the form of many where a word in capital letters stands for others", () => {
    assert.isTrue(isForm("npm start -- NAME JSON"))
    assert.isFalse(isForm("SEED=123 npm test"))
  })
})

describe("a heading", () => {
  it("has the anchor that GitHub gives it", () => {
    const anchors = anchorsIn(["# What `it` does, twice", "## Stub", "### stub", "## [A link](page.md) – here", "Stub"])
    assert.deepStrictEqual([...anchors], ["what-it-does-twice", "stub", "stub-1", "a-link--here"])
  })
})

describe("a quotation", () => {
  it("is literal but for what it leaves out", () => {
    assert.isTrue(matches("at … (found …)", "at a.ts:1 (found 2\nand 3)"))
    assert.isFalse(matches("at … (found 1)", "at a.ts:1 (found 2)"))
    assert.isFalse(matches("done.", "done!"))
  })
})

describe("a table of options", () => {
  const tableOf = (types: string) =>
    withTables(`before\n<!-- options: ${types} -->\nold\n<!-- end of options -->\nafter`)

  it("has what the comments say, the default apart", () => {
    const table = tableOf("operations/stop.ts StopOptions, operations/child.ts ChildOptions")
    assert.match(table, /^before\n<!-- options: [^]+<!-- end of options -->\nafter$/)
    assert.include(table, '| `name` | `"stop"` | The name of the operation. |')
    assert.match(table, /\| `flat` \| `false` \| Whether the child [^|]+ on every replay\. \|/)
    assert.notInclude(table, "old")
  })

  it("says whether an option without a default is needed, and leaves out what is internal", () => {
    const table = tableOf("lambda/LambdaHandler.ts Options")
    assert.match(table, /\| `layer` \| needed \|/)
    assert.notInclude(table, "warnAboutTargets")
  })

  it("is of a type that there is", () => {
    assert.throws(() => tableOf("operations/step.ts NoSuchOptions"), "src/operations/step.ts has no interface")
  })

  it("is missed where a page has none", () => {
    assert.include(
      missingTables(new Map()),
      "src/operations/step.ts: StepOptions needs a table in a page of docs/operations"
    )
    assert.deepStrictEqual(
      missingTables(new Map([["a.md", tableOf("operations/step.ts StepOptions")]])).filter((text) =>
        text.includes("StepOptions")
      ),
      []
    )
  })
})

describe("an export", () => {
  const entry = { specifier: "effect-durable", name: "effect-durable", source: "src/index.ts", types: "index.d.ts" }
  const example = "@example\n * ```ts\n * wait()\n * ```"
  const complete = "Waits for some seconds.\n * **Errors**: `Late`."
  const type = "Effect.Effect<void, Late, Execution>"

  const problemsOf = (comment: string, declaration: Partial<Declaration> = {}) => {
    const doc = parseComment(`/**\n * ${comment}\n */`)
    const members = [{ name: "time", type: "number", doc }]
    const waits = { kind: "function", doc, source: "src/A.ts", signature: "", members, type, ...declaration } as const
    const exports = [{ name: "wait", declarations: [waits] }]
    return findProblems([{ entry, name: "A", doc: parseComment("/** A module. */"), exports }])
  }

  it.each([
    ["nothing", `${complete}\n * ${example}\n * @category operations\n * @since 0.1.0`, []],
    ["a summary", `**Errors**: seconds\n * ${example}\n * @category operations\n * @since 0.1.0`, ["a summary"]],
    ["an example", `${complete}\n * @category operations\n * @since 0.1.0`, ["an @example"]],
    ["a version", `${complete}\n * ${example}\n * @category operations`, ["@since"]],
    ["a category", `${complete}\n * ${example}\n * @since 0.1.0`, ["@category"]],
    ["units", `Waits.\n * **Errors**: none.\n * ${example}\n * @category operations\n * @since 0.1.0`, ["its unit"]],
    ["errors", `Waits for seconds.\n * ${example}\n * @category waiting\n * @since 0.1.0`, ["**Errors**"]]
  ])("is told when it lacks %s", (_, comment, missing) => {
    const problems = problemsOf(comment)
    assert.lengthOf(problems, missing.length, problems.join("\n"))
    missing.forEach((text, index) => assert.include(problems[index], text))
  })

  it("needs no example and no errors when nobody calls it", () => {
    const comment = "Seconds.\n * @category models\n * @since 0.1.0"
    assert.deepStrictEqual(problemsOf(comment, { kind: "interface", type: "" }), [])
  })

  it("that cannot fail needs no errors, whatever its types hold", () => {
    const comment = `Waits for seconds.\n * ${example}\n * @category waiting\n * @since 0.1.0`
    const types = ["Effect.Effect<void>", "Effect.Effect<(a: A<1, 2>) => B, never, Execution>", "Stub<1, 2>"]
    for (const type of types) assert.deepStrictEqual(problemsOf(comment, { type }), [])
  })
})
