/**
 * Public text must not lie: every block of TypeScript in it compiles and runs, every file that it names exists, and the
 * commands that it quotes do what it says.
 *
 * A block whose first line is `// name.ts` is a file that later blocks of the same text may import; `// name.test.ts` is
 * run by vitest, every other block as a module of its own.
 */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import process from "node:process"
import { exampleBlocks, markdownBlocks, markdownFiles, root, sourceFiles, type Block } from "./blocks.ts"

const generated = join(import.meta.dirname, ".generated")

const blocks = [...markdownFiles.flatMap(markdownBlocks), ...sourceFiles.flatMap(exampleBlocks)]
const programs = blocks.filter((block) => block.language === "ts")

/** A block's file: one folder per text, so that the blocks of a text can import each other. */
const fileOf = (block: Block): string => {
  const name = /^\/\/ ([\w-]+(?:\.test)?\.ts)$/m.exec(block.code.split("\n")[0] ?? "")?.[1] ?? `line-${block.line}.ts`
  return join(block.file.replaceAll(/[/.]/g, "-"), name)
}

/** In a doc comment, `./File.ts` is a file beside the source. */
const codeOf = ({ code, file }: Block, folder: string): string =>
  file.endsWith(".md")
    ? code
    : code.replaceAll(/(from "|import\(")(\.[^"]+)/g, (_, before: string, path: string) => {
        return before + relative(folder, join(root, dirname(file), path))
      })

const run = (command: string, args: ReadonlyArray<string>, cwd = root) => {
  const { status, stderr, stdout } = spawnSync(command, args, { cwd, encoding: "utf8" })
  return { status, stdout, output: stdout + stderr }
}

const tool = (name: string) => join(root, "node_modules/.bin", name)

const node = (...args: ReadonlyArray<string>) =>
  run(process.execPath, ["--conditions=effect-durable-source", "--disable-warning=ExperimentalWarning", ...args])

describe("the code in README, guides and doc comments", () => {
  rmSync(generated, { recursive: true, force: true })
  for (const block of programs) {
    const path = join(generated, fileOf(block))
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, `${codeOf(block, dirname(path))}\n`)
  }
  console.log(
    `${programs.length} blocks of TypeScript: ${programs.filter((block) => block.file.endsWith(".md")).length} in Markdown, the others in doc comments.`
  )

  it("is found in every text that should have some", () => {
    for (const file of ["README.md", "docs/execution-model.md", "docs/testing.md", "src/Durable.ts"]) {
      assert.isAbove(programs.filter((block) => block.file === file).length, 0, file)
    }
    assert.strictEqual(new Set(programs.map(fileOf)).size, programs.length, "two blocks of one text have one name")
  })

  it("compiles", { timeout: 60_000 }, () => {
    const compilerOptions = { noUnusedLocals: false, noEmit: true }
    writeFileSync(
      join(generated, "tsconfig.json"),
      JSON.stringify({ extends: "../../../tsconfig.json", compilerOptions, include: ["./**/*.ts"] })
    )
    const { output, status } = run(tool("tsc"), ["-p", generated])
    assert.strictEqual(status, 0, output)
  })

  it("runs", { timeout: 60_000 }, () => {
    const files = programs.map(fileOf).filter((file) => !file.endsWith(".test.ts"))
    const loader = files
      .map((file) => `await import(${JSON.stringify(join(generated, file))}).catch(fail(${JSON.stringify(file)}))`)
      .join("\n")
    const main = join(generated, "main.js")
    const fail = `const fail = (file) => (error) => { console.error(file, error); process.exitCode = 1 }`
    writeFileSync(main, `${fail}\n${loader}\n`)
    const { output, status } = node(main)
    assert.strictEqual(status, 0, output)
  })

  it("passes its own tests", { timeout: 60_000 }, () => {
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
    const { output, status } = run(tool("vitest"), ["run", "--config", config])
    assert.strictEqual(status, 0, output)
  })
})

describe("the commands in README and guides", () => {
  const all = markdownFiles.flatMap(markdownBlocks)
  const cheap = all.flatMap((block, index) => {
    if (block.language !== "sh") return []
    const next = all[index + 1]
    const output = next?.language === "text" && next.file === block.file ? next.code : undefined
    const commands = block.code.split("\n").filter((line) => /^npm start(?! &&)/.test(line))
    return commands.map((command) => ({ command, output, place: `${block.file}:${block.line}` }))
  })

  it.each(cheap)("$command does what $place says", { timeout: 30_000 }, ({ command, output }) => {
    const { status, stdout, output: all } = run("sh", ["-c", command])
    assert.strictEqual(status, 0, all)
    if (output !== undefined) assert.strictEqual(stdout.trim(), output.trim())
  })

  it("are scripts of the package", () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
    for (const { code, file, language, line } of all) {
      if (language !== "sh") continue
      for (const [, name = ""] of code.matchAll(/npm (?:run )?(start|test|(?<=run )[\w:]+)/g)) {
        assert.property(scripts, name, `${file}:${line}`)
      }
    }
  })
})

describe("the links in README and guides", () => {
  it.each(markdownFiles)("of %s lead to files", (file) => {
    const text = readFileSync(join(root, file), "utf8")
    for (const [, target = ""] of text.matchAll(/\]\((?!https?:)([^)#\s]+)/g)) {
      assert.isTrue(existsSync(join(root, dirname(file), target)), `${file} links to ${target}`)
    }
  })
})
