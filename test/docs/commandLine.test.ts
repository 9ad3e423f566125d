/** What public text says of the command line, and the commands that there are. */
import { assert, describe, it } from "@effect/vitest"
import * as Completions from "effect/cli/Completions"
import { root } from "../../src/cli/Program.ts"
import { read } from "./blocks.ts"
import { findCommands } from "./commands.ts"

type Described = Completions.CommandDescriptor

/** Commands by the words that they are called with. */
const commandsIn = (
  command: Described,
  above: ReadonlyArray<string> = []
): ReadonlyArray<readonly [string, Described]> =>
  command.subcommands.length === 0
    ? [[above.join(" "), command]]
    : command.subcommands.flatMap((inner) => commandsIn(inner, [...above, inner.name]))

const commands = new Map(commandsIn(Completions.fromCommand(root)))

/** Flags of every command that talks to a service, and those of all commands. */
const shared = ["endpoint", "aws", "function", "json"]
const global = ["help", "completions", "log-level", "version"]

describe("docs/command-line.md", () => {
  const page = read("docs/command-line.md")

  it("has every command and every flag", () => {
    assert.isAbove(commands.size, 14)
    for (const [name, { flags }] of commands) {
      assert.isTrue(page.includes(`effect-durable ${name}`) || page.includes(`### ${name}`), name)
      for (const flag of flags) assert.include(page, `--${flag.name}`, name)
    }
  })

  it("has no other ones", () => {
    const known = new Set([
      ...[...commands.values()].flatMap(({ flags }) => flags.map(({ name }) => name)),
      ...shared,
      ...global
    ])
    for (const [, flag = ""] of page.matchAll(/(?<![\w-])--([a-z][a-z-]*)/g)) assert.isTrue(known.has(flag), flag)
  })
})

describe("the command lines in Markdown", () => {
  it("name commands and flags that there are", () => {
    const quoted = findCommands().filter(({ line }) => /^(npx )?effect-durable /.test(line))
    assert.isAbove(quoted.length, 10)
    for (const { line, place } of quoted) {
      const words = line
        .replace(/^(npx )?effect-durable /, "")
        .replaceAll(/'[^']*'/g, "TEXT")
        .split(" ")
      const name = [words.slice(0, 2).join(" "), words[0] ?? ""].find((one) => commands.has(one))
      const flags = words.filter((word) => word.startsWith("--")).map((word) => word.slice(2).split("=")[0] ?? "")
      if (name === undefined) assert.isTrue(flags.every((flag) => global.includes(flag)) && flags.length > 0, place)
      const known = name === undefined ? [] : (commands.get(name)?.flags.map((flag) => flag.name) ?? [])
      for (const flag of flags) assert.include([...known, ...global], flag, `${place}: ${line}`)
    }
  })
})
