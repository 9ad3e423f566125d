/** The commands that public text quotes do what it says. How each is executed is in the table of `commands.ts`. */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import manifest from "../../package.json" with { type: "json" }
import { markdownBlocks, read, root } from "./blocks.ts"
import { findCommands, isForm, rules, type Command } from "./commands.ts"
import { counted } from "./counted.ts"
import { assertQuoted } from "./quoted.ts"

const ruleOf = ({ line }: Command) => rules.find(({ command }) => command.test(line))

const commands = findCommands()

const lines = commands.filter(({ line }) => !isForm(line))

const executedBy = (run: string) => lines.filter((command) => ruleOf(command)?.run === run)

/** Each command once, with every output that is quoted for it. */
const toRun = (run: string) =>
  Array.from(
    Map.groupBy(executedBy(run), ({ file, line }) => (run === "here" ? line : `${file} ${line}`)).values(),
    (same) => ({ line: same[0]?.line ?? "", file: same[0]?.file ?? "", same })
  )

const execute = (
  line: string,
  cwd: string,
  same: ReadonlyArray<Command>,
  options: string,
  { exits = 0, varies }: { readonly exits?: number; readonly varies?: RegExp } = {}
): void => {
  const known = (text: string): string => (varies === undefined ? text : text.replaceAll(varies, "…"))
  const environment = { ...process.env, NO_COLOR: "1", NODE_OPTIONS: options }
  const { status, stderr, stdout } = spawnSync("sh", ["-c", line], { cwd, encoding: "utf8", env: environment })
  assert.strictEqual(status, exits, `${line}\n${stdout}${stderr}`)
  for (const { output, place } of same) if (output !== undefined) assertQuoted(known(output), known(stdout), place)
}

/** A folder as a user has it: the package is installed, and the files of the text are there. */
const makeProject = (folder: string, file: string): void => {
  const modules = join(folder, "node_modules")
  mkdirSync(modules)
  for (const name of readdirSync(join(root, "node_modules"))) {
    symlinkSync(join(root, "node_modules", name), join(modules, name))
  }
  symlinkSync(root, join(modules, manifest.name))
  // As a user has it by default, but for the time-out: machines may be slow.
  const configuration = `export default { ssr: { resolve: { conditions: ["effect-durable-source"] } }, test: { testTimeout: 600_000 } }`
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", private: true }))
  writeFileSync(join(folder, "vitest.config.js"), configuration)
  for (const { code, language } of markdownBlocks(file)) {
    const name = /^\/\/ ([\w./-]+)\n/.exec(code)?.[1]
    if (language === "ts" && name !== undefined) writeFileSync(join(folder, name), `${code}\n`)
  }
}

describe("the command lines in Markdown", () => {
  it("have a rule that says how they are executed", () => {
    for (const command of lines) {
      const { line, place } = command
      assert.isDefined(ruleOf(command), `${place}: no rule of test/docs/commands.ts says how to execute \`${line}\``)
    }
  })

  it("are scripts of the package where they run one", () => {
    for (const { line, place } of commands) {
      const name = /^(?:\w+=\S+ )*npm (?:run )?(start|test|(?<=run )[\w:]+)/.exec(line)?.[1]
      if (name !== undefined) assert.property(manifest.scripts, name, place)
    }
  })

  it.each(toRun("here"))("do what the text says: $line", ({ line, same }) => {
    const rule = same[0] && ruleOf(same[0])
    execute(line, root, same, "", rule?.run === "here" ? rule : {})
  })

  it.each(toRun("in a project"))("do in a project what $file says: $line", (command) => {
    const folder = mkdtempSync(join(tmpdir(), "effect-durable-project-"))
    try {
      makeProject(folder, command.file)
      execute(command.line, folder, command.same, "--conditions=effect-durable-source")
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it("are executed elsewhere where their rule says so", () => {
    for (const rule of rules) {
      if (rule.run !== "elsewhere") continue
      assert.include(read(rule.file), rule.holds, `the rule for ${rule.command} says that ${rule.file} executes it`)
    }
  })

  it("are all accounted for", (context) => {
    for (const rule of rules) {
      assert.isTrue(
        lines.some((command) => ruleOf(command) === rule),
        `no text has a command for the rule ${rule.command}`
      )
    }
    counted(context, {
      "command lines executed": toRun("here").length + toRun("in a project").length,
      "command lines executed by another part of .ci/run": executedBy("elsewhere").length,
      "command lines not executed, each for a stated reason": executedBy("never").length
    })
  })
})
