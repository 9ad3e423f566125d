/**
 * `init`: a project with a first workflow, which runs and passes its test at once.
 *
 * Owns: the files, and the additions to an existing `package.json`.
 * Does not own: the content of the workflow.
 *
 * Invariants:
 * 1. No file is overwritten, and in a `package.json` only missing fields are written.
 *
 * @since 0.1.0
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { existsSync, readdirSync, writeFileSync } from "node:fs"
import process from "node:process"
import { failed, misused, type CommandFailed } from "./CommandFailed.ts"
import { json, toggle } from "./flags.ts"
import { manifest, type Manifest, readManifest, sourceOf } from "./manifests.ts"
import { Output } from "./Output.ts"
import { compilerConfiguration, ignored, namesOf, test, workflow } from "./template.ts"

export const init = Command.make(
  "init",
  {
    name: Argument.String("NAME").pipe(Argument.withDescription("The name of the function, such as order")),
    noInstall: toggle("no-install", "Write the packages that are needed into package.json, and install none"),
    json
  },
  ({ json, name, noInstall }) =>
    Effect.gen(function* () {
      const { result, say } = yield* Output
      const names = namesOf(name)
      if (names === undefined) {
        return yield* misused(
          `"${name}" cannot be the name of the workflow: 1 to 50 letters, digits, - and _ after a letter, and no word of JavaScript.`
        )
      }
      const sources = { [`${name}.ts`]: workflow(names), [`${name}.test.ts`]: test(names) }
      const there = Object.keys(sources).find((file) => existsSync(file))
      if (there !== undefined) return yield* failed(`There is a file ${there} already, and none is overwritten.`)
      const before = yield* readManifest("package.json")
      const after = yield* completed(before ?? {}, name)
      const shared = { "tsconfig.json": compilerConfiguration, ".gitignore": ignored }
      const files = {
        ...sources,
        ...Object.fromEntries(Object.entries(shared).filter(([file]) => !existsSync(file))),
        "package.json": `${JSON.stringify(after, undefined, 2)}\n`
      }
      for (const [file, content] of Object.entries(files)) writeFileSync(file, content)
      const installed = noInstall ? false : yield* install
      if (json) return result(JSON.stringify({ files: Object.keys(files), installed }))
      say(farewell(Object.keys(files), name, installed, after))
    })
).pipe(Command.withDescription("Write a workflow with its contracts, its test and scripts into this folder"))

const farewell = (
  files: ReadonlyArray<string>,
  name: string,
  installed: boolean,
  { scripts = {} }: Manifest
): string => {
  const run = scripts["dev"] === devScript(name) ? "npm run dev" : `npx ${devScript(name)}`
  return [
    `Wrote ${files.join(", ")}.`,
    "",
    "Next:",
    ...(installed ? [] : ["  npm install"]),
    "  npx vitest run             the test, in virtual time",
    `  ${run.padEnd(26)} an engine on this machine`,
    `  npx effect-durable invoke ${name} --payload '{"item":"tea"}' --follow`,
    `                             in another terminal; it prints how to approve`
  ].join("\n")
}

// --- package.json --------------------------------------------------------------------------------------------------------

const devScript = (name: string): string => `effect-durable dev ${name}.ts`

/** The script that `npm init` writes if there is no test. */
const noTest = 'echo "Error: no test specified" && exit 1'

/** Returns a manifest with everything that a workflow needs. */
const completed = (before: Manifest, name: string): Effect.Effect<Manifest, CommandFailed> =>
  Effect.gen(function* () {
    if (before.type !== "module" && hasCode()) {
      return yield* failed(
        `A workflow is an ES module, and the code in this folder would become one: no "type": "module" is in package.json. Write it there, or begin in an empty folder.`
      )
    }
    const { test: testBefore, ...scripts } = before.scripts ?? {}
    const known = { ...before.dependencies, ...before.devDependencies, ...before.peerDependencies }
    const missing = (packages: Readonly<Record<string, string>>) =>
      Object.fromEntries(Object.entries(packages).filter(([dependency]) => !Object.hasOwn(known, dependency)))
    return {
      ...before,
      private: before.private ?? true,
      type: "module",
      scripts: {
        dev: devScript(name),
        ...scripts,
        test: testBefore === undefined || testBefore === noTest ? "vitest run" : testBefore
      },
      dependencies: sorted({ ...before.dependencies, ...missing(yield* dependencies) }),
      devDependencies: sorted({ ...before.devDependencies, ...missing(yield* devDependencies) })
    }
  })

/** Returns whether there is code that would run differently as an ES module. */
const hasCode = (): boolean => readdirSync(".").some((file) => /\.[jt]sx?$/.test(file))

const sorted = (packages: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(packages).toSorted(([a], [b]) => (a < b ? -1 : 1)))

const dependencies = Effect.map(manifest, ({ peerDependencies = {} }) => ({
  "effect-durable": sourceOf(),
  effect: peerDependencies["effect"] ?? ""
}))

/** The development dependencies, in the versions with which this package is built. */
const devDependencies = Effect.map(manifest, ({ devDependencies: own = {}, peerDependencies = {} }) => ({
  "@effect/platform-node": peerDependencies["@effect/platform-node"] ?? "",
  ...Object.fromEntries(["@types/node", "typescript", "vitest"].map((name) => [name, `^${own[name] ?? ""}`]))
}))

// --- Packages ------------------------------------------------------------------------------------------------------------

/** Installs missing packages with the package manager that runs this command, or with npm. */
const install: Effect.Effect<boolean, CommandFailed, Output> = Effect.flatMap(Output, ({ say }) => {
  const manager = /^(npm|pnpm|yarn|bun)\//.exec(process.env["npm_config_user_agent"] ?? "")?.[1] ?? "npm"
  say(`Installs packages with ${manager} …`)
  const { status } = spawnSync(manager, ["install"], {
    stdio: ["ignore", process.stderr, process.stderr],
    shell: process.platform === "win32"
  })
  return status === 0
    ? Effect.succeed(true)
    : Effect.fail(failed(`The files are written, and "${manager} install" has failed: see above, and run it again.`))
})
