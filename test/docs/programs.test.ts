/**
 * The TypeScript in public text compiles and runs, with the imports that a user would write.
 *
 * A block whose first line is `// name.ts` is a file that later blocks of the same text may import; `// name.test.ts` is
 * run by vitest, every other block as a module of its own.
 */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import process from "node:process"
import { exampleBlocks, markdownBlocks, markdownFiles, root, sourceFiles, type Block } from "./blocks.ts"
import { counted } from "./counted.ts"

const generated = join(import.meta.dirname, ".generated")

const programs = [...markdownFiles.flatMap(markdownBlocks), ...sourceFiles.flatMap(exampleBlocks)].filter(
  (block) => block.language === "ts"
)

const isMarkdown = ({ file }: Block): boolean => file.endsWith(".md")

const isRun = ({ info }: Block): boolean => info === ""

/** A block's file: one folder per text, so that the blocks of a text can import each other. */
const fileOf = (block: Block): string => {
  const name = /^\/\/ ([\w-]+(?:\.test)?\.ts)$/m.exec(block.code.split("\n")[0] ?? "")?.[1] ?? `line-${block.line}.ts`
  return join(block.file.replaceAll(/[/.]/g, "-"), name)
}

/** In a doc comment, `./File.ts` is a file beside the source. */
const codeOf = (block: Block, folder: string): string =>
  isMarkdown(block)
    ? block.code
    : block.code.replaceAll(/(from "|import\(")(\.[^"]+)/g, (_, before: string, path: string) => {
        return before + relative(folder, join(root, dirname(block.file), path))
      })

const run = (command: string, ...args: ReadonlyArray<string>): { readonly status: number; readonly output: string } => {
  const { status, stderr, stdout } = spawnSync(command, args, { cwd: root, encoding: "utf8" })
  return { status: status ?? 1, output: stdout + stderr }
}

const tool = (name: string): string => join(root, "node_modules/.bin", name)

describe("the TypeScript in Markdown and doc comments", () => {
  rmSync(generated, { recursive: true, force: true })
  for (const block of programs) {
    const path = join(generated, fileOf(block))
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, `${codeOf(block, dirname(path))}\n`)
  }

  it("is found in every text that should have some", () => {
    for (const file of ["README.md", "docs/execution-model.md", "docs/testing.md", "src/operations/step.ts"]) {
      assert.isAbove(programs.filter((block) => block.file === file).length, 0, file)
    }
    assert.strictEqual(new Set(programs.map(fileOf)).size, programs.length, "two blocks of one text have one name")
  })

  it("imports what users can import", () => {
    for (const block of programs.filter(isMarkdown)) {
      for (const [, name = ""] of block.code.matchAll(/(?:from |import\()"([^"]+)"/g)) {
        assert.notMatch(name, /^\.\.|^\.\/.+\/|\/(?:src|dist)\//, `${block.file}:${block.line}`)
      }
    }
  })

  it("is run, unless it says why not", () => {
    for (const { file, info, line } of programs) {
      assert.match(info, /^(?:not run: .{10,})?$/, `${file}:${line}: write \`ts\`, or \`ts not run: WHY\``)
    }
  })

  it("compiles", (context) => {
    const compilerOptions = { noUnusedLocals: false, noEmit: true }
    writeFileSync(
      join(generated, "tsconfig.json"),
      JSON.stringify({ extends: "../../../tsconfig.json", compilerOptions, include: ["./**/*.ts"] })
    )
    const { output, status } = run(tool("tsc"), "-p", generated)
    assert.strictEqual(status, 0, output)
    counted(context, { "blocks of TypeScript in Markdown compiled": programs.filter(isMarkdown).length })
  })

  it("runs", (context) => {
    const ran = programs.filter((block) => isRun(block) && !fileOf(block).endsWith(".test.ts"))
    const loader = ran.map((block) => {
      const file = JSON.stringify(fileOf(block))
      return `await import("./" + ${file}).then(passed, failed(${file}))`
    })
    const main = join(generated, "main.js")
    const counter = `let count = 0; const passed = () => { count++ }`
    const failed = `const failed = (file) => (error) => { console.error(file, error); process.exitCode = 1 }`
    writeFileSync(main, [counter, failed, ...loader, `console.log(count + " ran")`].join("\n"))
    const condition = ["--conditions=effect-durable-source", "--disable-warning=ExperimentalWarning"]
    const { output, status } = run(process.execPath, ...condition, main)
    assert.strictEqual(status, 0, output)
    assert.include(output, `${ran.length} ran\n`)
    counted(context, {
      "blocks of TypeScript in Markdown run": ran.filter(isMarkdown).length,
      "blocks of TypeScript in Markdown not run, each for a stated reason": programs.filter((block) => !isRun(block))
        .length,
      "examples in doc comments compiled and run": ran.filter((block) => !isMarkdown(block)).length
    })
  })

  it("passes its own tests", (context) => {
    const config = join(generated, "vitest.config.ts")
    writeFileSync(
      config,
      `export default {
        root: ${JSON.stringify(generated)},
        resolve: { conditions: ["effect-durable-source"] },
        ssr: { resolve: { conditions: ["effect-durable-source"] } },
        test: { include: ["**/*.test.ts"] }
      }\n`
    )
    const { output, status } = run(tool("vitest"), "run", "--config", config)
    assert.strictEqual(status, 0, output)
    const tests = programs.filter((block) => fileOf(block).endsWith(".test.ts"))
    counted(context, { "blocks of TypeScript in Markdown run": tests.filter(isMarkdown).length })
  })
})
