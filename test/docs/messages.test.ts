/**
 * Every message that public text quotes is what the library says, and docs/troubleshooting.md has an entry for every error
 * that a user can meet.
 */
import { assert, describe, it } from "@effect/vitest"
import { DurableError } from "effect-durable"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import { entryPoints, root } from "../../scripts/declarations.ts"
import { markdownBlocks, markdownFiles, read } from "./blocks.ts"
import { counted } from "./counted.ts"
import { messages } from "./messages.ts"
import { assertQuoted } from "./quoted.ts"

const page = "docs/troubleshooting.md"

const quotations = markdownFiles.flatMap(markdownBlocks).flatMap(({ code, file, info, language, line }) => {
  const name = language === "text" ? /^message: (.+)$/.exec(info)?.[1] : undefined
  return name === undefined ? [] : [{ name, code, place: `${file}:${line}` }]
})

/** Errors of a port: between the library and those who write a backend or a format, who give them their messages. */
const ofPorts = new Set(["StaleCheckpointToken", "StoreUnavailable", "StoreRefused", "SerdesError"])

/** Everything that the namespaces of an entry point hold. */
const membersOf = async (source: string): Promise<ReadonlyArray<unknown>> => {
  const module: Readonly<Record<string, object>> = await import(join(root, source))
  return Object.values(module).flatMap((namespace): ReadonlyArray<unknown> => Object.values(namespace))
}

const exported = (await Promise.all(entryPoints.map(({ source }) => membersOf(source)))).flat()

/** The tags of all errors that users can meet. */
const tags = new Set(
  exported
    .flatMap((member) =>
      typeof member === "function" && member.prototype instanceof Error && "identifier" in member
        ? [String(member.identifier)]
        : []
    )
    .filter((tag) => !ofPorts.has(tag))
)

const reasons = DurableError.InvocationFailed.fields.reason.literals.map((reason) => `InvocationFailed/${reason}`)

/** The entries of the page by their headings. */
const entries = new Map(
  read(page)
    .split(/^### /m)
    .slice(1)
    .map((entry): [string, string] => [/^.*$/m.exec(entry)?.[0] ?? "", entry.replace(/^## [^]*/m, "")])
)

describe("the messages that public text quotes", () => {
  it.each(quotations)("$name is what $place says", async ({ code, name, place }) => {
    const program = messages[name]
    if (program === undefined) assert.fail(`${place}: test/docs/messages.ts has no program for "${name}"`)
    const { message, tag } = await Effect.runPromise(program)
    assert.strictEqual(tag, name.split("/")[0], message)
    assertQuoted(code, message, place)
  })

  it("are all of which there is a program", (context) => {
    const quoted = new Set(quotations.map(({ name }) => name))
    assert.deepStrictEqual(
      Object.keys(messages).filter((name) => !quoted.has(name)),
      [],
      "programs whose message no text quotes"
    )
    counted(context, { "error messages produced": quoted.size })
  })
})

describe(page, () => {
  it.each([...tags])("has an entry for %s that says when it happens and what to do", (tag) => {
    const entry = entries.get(tag)
    assert.isDefined(entry, `${page} has no "### ${tag}"`)
    assert.match(entry ?? "", new RegExp(`^\`\`\`text message: ${tag}(?:/.+)?$`, "m"), "the message")
    assert.match(entry ?? "", /^\*\*When:\*\* /m, "when it happens")
    assert.match(entry ?? "", /^\*\*What to do:\*\* /m, "what to do")
  })

  it.each(reasons)("quotes the message of %s", (reason) => {
    assert.include(entries.get("InvocationFailed"), `\`\`\`text message: ${reason}\n`)
  })

  it("has no entry for an error that does not exist", () => {
    for (const [tag, entry] of entries) {
      assert.isTrue(tags.has(tag) || entry.includes(`\`\`\`text message: ${tag}`), `${page} has "### ${tag}"`)
    }
  })
})
