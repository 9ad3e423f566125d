/** The command line as a program: what it needs to start, engines that it serves, and the projects that it writes. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import manifest from "../../package.json" with { type: "json" }
import { command, commandIn, inProcessOfItsOwn, spawned } from "./support.ts"

const root = fileURLToPath(new URL("../../", import.meta.url))

/** An empty folder. */
const emptyFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-durable-cli-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

/** A folder in which packages are found as in one that has installed them. */
const project = Effect.tap(emptyFolder, (folder) =>
  Effect.sync(() => {
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"))
    writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", private: true }))
    writeFileSync(
      join(folder, "greet.ts"),
      `import { Durable, DurableFunction } from "${join(root, "src/index.ts")}"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
export const Greet = DurableFunction.make("greet", { payload: Schema.String, success: Schema.String })
export const greet = Greet.implement((name) =>
  Effect.gen(function* () {
    yield* Durable.step("mind", Effect.sync(() => console.error("pid " + process.pid + ".")))
    yield* Durable.waitForCallback("approval", () => Effect.void)
    return "hello " + name
  })
)
`
    )
    writeFileSync(join(folder, "plain.js"), `export const main = async (event) => ({ got: event })\n`)
  })
)

const listening = /^listening (http:\/\/127\.0\.0\.1:\d+)$/m

describe("effect-durable", () => {
  it("knows its version, and the oldest Node that it runs on", () => {
    const main = readFileSync(join(root, "src/cli/main.ts"), "utf8")
    assert.include(main, `const oldest = "${manifest.engines.node.replace(">=", "")}"`)
    assert.strictEqual(manifest.bin["effect-durable"], "./dist/cli/main.js")
    assert.isTrue(main.startsWith("#!/usr/bin/env node\n"))
  })

  it("loads nothing for its version but that", () => {
    const main = readFileSync(join(root, "src/cli/main.ts"), "utf8")
    const modules = Array.from(main.matchAll(/^import .*from "(.+)"$/gm), ([, module]) => module)
    assert.deepStrictEqual(modules, ["node:process", "../internal/version.ts"])
  })

  it("loads neither an engine nor its database before a command needs them", () => {
    const seen = new Set<string>()
    const load = (file: string): void => {
      if (seen.has(file)) return
      seen.add(file)
      const text = readFileSync(file, "utf8")
      for (const [, type, module = ""] of text.matchAll(/^(?:import|export)( type)? [^"]*?from "(\..+)"$/gm)) {
        if (type === undefined) load(join(file, "..", module))
      }
    }
    load(join(root, "src/cli/Program.ts"))
    assert.isAbove(seen.size, 40)
    assert.deepStrictEqual(
      Array.from(seen).filter((file) => file.includes("src/local/")),
      []
    )
  })

  it.live("prints its version", () =>
    Effect.gen(function* () {
      for (const flag of ["--version", "-v"]) {
        const ran = yield* inProcessOfItsOwn({ cwd: root }, flag)
        assert.deepStrictEqual(ran, { code: 0, out: `${manifest.version}\n`, err: "" })
      }
    })
  )

  it.live("says in one sentence that Node is too old, whatever is asked", () =>
    Effect.gen(function* () {
      const older = "Object.defineProperty(process.versions, 'node', { value: '22.18.0' })"
      const node = ["--import", `data:text/javascript,${encodeURIComponent(older)}`]
      for (const args of [["--version"], ["ls"], ["dev", "greet.ts"]]) {
        const ran = yield* inProcessOfItsOwn({ cwd: root, node }, ...args)
        assert.deepStrictEqual([ran.code, ran.out], [1, ""])
        assert.strictEqual(
          ran.err,
          "effect-durable needs Node 22.19 or later, and this is Node 22.18.0: install a newer one from https://nodejs.org.\n"
        )
      }
    })
  )

  it.live("writes what others may stop to read", () =>
    Effect.gen(function* () {
      const { child, ended } = yield* spawned({ cwd: root }, "--help")
      child.stdout.destroy()
      assert.strictEqual((yield* ended).code, 0)
    }).pipe(Effect.scoped)
  )
})

describe("dev", () => {
  it.live("serves modules and handlers, and ends with all of its processes", () =>
    Effect.gen(function* () {
      const cwd = yield* project
      const functions = ["--function", "plain=plain.js#main", "--plain=plain"]
      const dev = yield* spawned({ cwd }, "dev", "greet.ts", "--port", "0", ...functions)
      const url = yield* dev.printed(listening)
      yield* dev.printed(/^functions {2}greet, plain$/m, "err")
      const run = (...args: ReadonlyArray<string>) => command(...args, "--endpoint", url)
      yield* run("invoke", "greet", "--payload", '"Ada"', "--event", "--name", "greet-1")
      const pid = Number(yield* dev.printed(/pid (\d+)\./, "err"))
      const answer: Effect.Effect<void> = Effect.flatMap(run("callback", "succeed", "greet-1"), ({ code }) =>
        code === 0 ? Effect.void : answer
      )
      yield* answer
      const ran = yield* run("invoke", "greet", "--payload", '"Ada"', "--name", "greet-1")
      assert.strictEqual(ran.out, '"hello Ada"\n')
      dev.child.kill("SIGINT")
      const { code, out } = yield* dev.ended
      assert.strictEqual(code, 0)
      assert.strictEqual(out, `listening ${url}\n`)
      assert.throws(() => process.kill(pid, 0), "ESRCH")
      assert.isTrue(existsSync(join(cwd, ".durable/local.db")))
    }).pipe(Effect.scoped)
  )

  it.live("shows how to start a function that can be started", () =>
    Effect.gen(function* () {
      const cwd = yield* project
      const functions = ["--function", "plain=plain.js#main", "--function", "greet=greet.ts", "--plain=plain"]
      const dev = yield* spawned({ cwd }, "dev", "--port", "0", "--memory", ...functions)
      yield* dev.printed(/^functions {2}plain, greet$/m, "err")
      const shown = yield* dev.printed(/^ {2}npx effect-durable invoke (\S+) --payload JSON --follow/m, "err")
      assert.strictEqual(shown, "greet")
    }).pipe(Effect.scoped)
  )

  it.live("goes on with what was open when it was killed", () =>
    Effect.gen(function* () {
      const cwd = yield* project
      const first = yield* spawned({ cwd }, "dev", "greet.ts", "--port", "0")
      const url = yield* first.printed(listening)
      yield* command("invoke", "greet", "--payload", '"Ada"', "--event", "--name", "greet-1", "--endpoint", url)
      first.child.kill("SIGKILL")
      yield* first.ended
      const second = yield* spawned({ cwd }, "dev", "greet.ts", "--port", "0")
      yield* second.printed(listening)
      yield* second.printed(/^resumed {4}1 open execution$/m, "err")
    }).pipe(Effect.scoped)
  )

  it.live("prints one document with --json", () =>
    Effect.gen(function* () {
      const cwd = yield* project
      const dev = yield* spawned({ cwd }, "dev", "greet.ts", "--port", "0", "--memory", "--json")
      const { environment, functions, url } = JSON.parse(yield* dev.printed(/^.*\n/))
      assert.deepStrictEqual(functions, ["greet"])
      assert.strictEqual(environment.AWS_ENDPOINT_URL_LAMBDA, url)
    }).pipe(Effect.scoped)
  )

  it.live("says why it cannot serve", () =>
    Effect.gen(function* () {
      const cwd = yield* project
      writeFileSync(join(cwd, "empty.ts"), "export {}\n")
      const running = yield* spawned({ cwd }, "dev", "greet.ts", "--port", "0")
      const { port } = new URL(yield* running.printed(listening))
      const refused: ReadonlyArray<readonly [args: ReadonlyArray<string>, code: number, says: string]> = [
        [[], 2, "There is nothing to serve"],
        [["nowhere.ts"], 1, "There is no file nowhere.ts."],
        [["empty.ts", "--memory"], 1, "empty.ts"],
        [["greet.ts"], 1, "is in use by another engine"],
        [["greet.ts", "--memory", "--port", port], 1, `The port ${port} is taken`],
        [["greet.ts", "--memory", "--db", "a.db"], 2, "give one of them"],
        [["--function", "a"], 2, "have a --command"],
        [["--function", "a", "--command", "node 'a"], 2, "A quote has no end"],
        [["greet.ts", "--plain=other"], 2, "--plain=other is about no --function"],
        [["greet.ts", "--function", "greet=plain.js#main", "--memory"], 1, `Two functions are called "greet"`]
      ]
      for (const [args, code, says] of refused) {
        const ran = yield* commandIn({ cwd }, "dev", ...args)
        assert.deepStrictEqual([ran.code, ran.out], [code, ""], `${args.join(" ")}: ${ran.err}`)
        assert.include(ran.err, says)
      }
    }).pipe(Effect.scoped)
  )
})

describe("reset", () => {
  it.live("deletes the database, and none that an engine has", () =>
    Effect.gen(function* () {
      const cwd = yield* project
      const dev = yield* spawned({ cwd }, "dev", "greet.ts", "--port", "0")
      const url = yield* dev.printed(listening)
      const invoke = ["invoke", "greet", "--payload", '"Bob Secret"', "--event", "--endpoint", url]
      yield* commandIn({ cwd }, ...invoke)
      const refused = yield* commandIn({ cwd }, "reset")
      assert.strictEqual(refused.code, 1)
      assert.include(refused.err, "is in use by another engine")
      dev.child.kill("SIGTERM")
      yield* dev.ended
      const kept = yield* commandIn({ cwd }, "reset", "--older-than", "7d", "--json")
      assert.deepStrictEqual(JSON.parse(kept.out), { database: ".durable/local.db", deleted: 0 })
      const ran = yield* commandIn({ cwd }, "reset")
      assert.deepStrictEqual(ran, { code: 0, out: "", err: "Deleted 1 execution of .durable/local.db.\n" })
      assert.deepStrictEqual(readdirSync(join(cwd, ".durable")), [".gitignore"])
      const again = yield* commandIn({ cwd }, "reset")
      assert.deepStrictEqual(again, { code: 0, out: "", err: "There is no database .durable/local.db.\n" })
      assert.strictEqual((yield* commandIn({ cwd }, "reset", "--older-than", "soon")).code, 2)
    }).pipe(Effect.scoped)
  )

  it.live("leaves files alone that are none of its own", () =>
    Effect.gen(function* () {
      const cwd = yield* emptyFolder
      writeFileSync(join(cwd, "letter.txt"), "Dear Ada, this is no database. ".repeat(40))
      const ran = yield* commandIn({ cwd }, "reset", "--db", "letter.txt")
      assert.strictEqual(ran.code, 1)
      assert.include(ran.err, "is not a database")
      assert.isTrue(readFileSync(join(cwd, "letter.txt"), "utf8").startsWith("Dear Ada"))
    }).pipe(Effect.scoped)
  )
})

describe("init", () => {
  const init = (cwd: string, ...args: ReadonlyArray<string>) => commandIn({ cwd }, "init", ...args, "--no-install")

  it.live("writes a project into an empty folder", () =>
    Effect.gen(function* () {
      const cwd = yield* emptyFolder
      const ran = yield* init(cwd, "order", "--json")
      const files = [".gitignore", "order.test.ts", "order.ts", "package.json", "tsconfig.json"]
      assert.strictEqual(ran.code, 0, ran.err)
      assert.deepStrictEqual(JSON.parse(ran.out).files.toSorted(), files)
      assert.deepStrictEqual(readdirSync(cwd).toSorted(), files)
      const written = JSON.parse(readFileSync(join(cwd, "package.json"), "utf8"))
      assert.deepStrictEqual(written.scripts, { dev: "effect-durable dev order.ts", test: "vitest run" })
      assert.strictEqual(written.type, "module")
      assert.strictEqual(written.dependencies.effect, manifest.peerDependencies.effect)
      assert.strictEqual(written.dependencies["effect-durable"], `file:${root.replace(/\/$/, "")}`)
      assert.strictEqual(written.devDependencies.vitest, `^${manifest.devDependencies.vitest}`)
    }).pipe(Effect.scoped)
  )

  it.live("keeps what is there", () =>
    Effect.gen(function* () {
      const cwd = yield* emptyFolder
      const before = {
        name: "shop",
        scripts: { test: "node --test", dev: "vite" },
        dependencies: { "effect-durable": "1.2.3" },
        devDependencies: { vitest: "5.0.0" }
      }
      writeFileSync(join(cwd, "package.json"), JSON.stringify(before))
      writeFileSync(join(cwd, "tsconfig.json"), "{}")
      assert.strictEqual((yield* init(cwd, "order")).code, 0)
      const after = JSON.parse(readFileSync(join(cwd, "package.json"), "utf8"))
      assert.strictEqual(after.name, "shop")
      assert.deepStrictEqual(after.scripts, before.scripts)
      assert.strictEqual(after.dependencies["effect-durable"], "1.2.3")
      assert.strictEqual(after.devDependencies.vitest, "5.0.0")
      assert.strictEqual(readFileSync(join(cwd, "tsconfig.json"), "utf8"), "{}")
      const source = readFileSync(join(cwd, "order.ts"), "utf8")
      const again = yield* init(cwd, "order")
      assert.strictEqual(again.code, 1)
      assert.include(again.err, "There is a file order.ts already")
      assert.strictEqual(readFileSync(join(cwd, "order.ts"), "utf8"), source)
      assert.strictEqual((yield* init(cwd, "refund")).code, 0)
    }).pipe(Effect.scoped)
  )

  it.live("makes ES modules of what npm init has made, and not of code that is there", () =>
    Effect.gen(function* () {
      const cwd = yield* emptyFolder
      const fresh = { type: "commonjs", scripts: { test: 'echo "Error: no test specified" && exit 1' } }
      writeFileSync(join(cwd, "package.json"), JSON.stringify(fresh))
      writeFileSync(join(cwd, "index.js"), "module.exports = 1")
      const refused = yield* init(cwd, "order")
      assert.strictEqual(refused.code, 1)
      assert.include(refused.err, `"type": "module"`)
      assert.isFalse(existsSync(join(cwd, "order.ts")))
      rmSync(join(cwd, "index.js"))
      assert.strictEqual((yield* init(cwd, "order")).code, 0)
      const { scripts, type } = JSON.parse(readFileSync(join(cwd, "package.json"), "utf8"))
      assert.deepStrictEqual([type, scripts.test], ["module", "vitest run"])
    }).pipe(Effect.scoped)
  )

  it.live("leaves code alone that is CommonJS because nothing says otherwise", () =>
    Effect.gen(function* () {
      const cwd = yield* emptyFolder
      const manifest = JSON.stringify({ name: "shop" })
      writeFileSync(join(cwd, "package.json"), manifest)
      writeFileSync(join(cwd, "index.js"), "module.exports = 1")
      const refused = yield* init(cwd, "order")
      assert.strictEqual(refused.code, 1)
      assert.include(refused.err, `"type": "module"`)
      assert.strictEqual(readFileSync(join(cwd, "package.json"), "utf8"), manifest)
      assert.deepStrictEqual(readdirSync(cwd).toSorted(), ["index.js", "package.json"])
    }).pipe(Effect.scoped)
  )

  it.live("refuses names that code cannot have", () =>
    Effect.gen(function* () {
      const cwd = yield* emptyFolder
      for (const name of ["../order", "1st", "class", "a b", "durable", "reserved"]) {
        const ran = yield* init(cwd, name)
        assert.strictEqual(ran.code, 2, name)
        assert.deepStrictEqual(readdirSync(cwd), [])
      }
    }).pipe(Effect.scoped)
  )
})

describe("doctor", () => {
  const findings = (out: string): ReadonlyArray<string> =>
    JSON.parse(out).findings.map(
      ({ about, verdict }: { readonly about: string; readonly verdict: string }) => `${verdict} ${about}`
    )

  it.live("finds nothing wrong with a project that init has written", () =>
    Effect.gen(function* () {
      const cwd = yield* emptyFolder
      yield* commandIn({ cwd }, "init", "order", "--no-install")
      symlinkSync(join(root, "node_modules"), join(cwd, "node_modules"))
      const ran = yield* commandIn({ cwd }, "doctor", "--json")
      assert.strictEqual(ran.code, 0, ran.out)
      assert.deepStrictEqual(findings(ran.out), [
        "ok node",
        "ok @aws-sdk/client-lambda",
        "ok @aws-sdk/credential-providers",
        "ok @effect/platform-node",
        "ok effect",
        "ok tsconfig.json",
        "ok engine"
      ])
    }).pipe(Effect.scoped)
  )

  it.live("says what is wrong, and exits with 1", () =>
    Effect.gen(function* () {
      const cwd = yield* project
      writeFileSync(
        join(cwd, "tsconfig.json"),
        JSON.stringify({ compilerOptions: { strict: false, module: "commonjs" } })
      )
      writeFileSync(join(cwd, "broken.ts"), "throw new Error('on purpose')\n")
      writeFileSync(join(cwd, "local.db"), "no database, but long enough to be one ".repeat(20))
      const ran = yield* commandIn(
        { cwd, env: { AWS_ENDPOINT_URL_LAMBDA: "http://127.0.0.1:9" } },
        "doctor",
        "greet.ts",
        "broken.ts",
        "--db",
        "local.db"
      )
      assert.strictEqual(ran.code, 1)
      assert.match(ran.err, /^\d problems found\.$/m)
      assert.match(ran.out, /^problem +tsconfig\.json +lacks "strict": true/m)
      assert.match(ran.out, /^problem +tsconfig\.json +lacks "module": "NodeNext"/m)
      assert.match(ran.out, /^problem +database +The file local\.db is not a database/m)
      assert.match(ran.out, /^problem +broken\.ts +.*on purpose/m)
      assert.match(ran.out, /^advice +engine +AWS_ENDPOINT_URL_LAMBDA leads to http:\/\/127\.0\.0\.1:9, and nothing/m)
      assert.match(ran.out, /^advice +greet\.ts +The contract "greet" has no target/m)
    }).pipe(Effect.scoped)
  )

  it.live("finds the compiler in a folder above, and knows what it takes for granted since version 6", () =>
    Effect.gen(function* () {
      const cwd = yield* emptyFolder
      symlinkSync(join(root, "node_modules"), join(cwd, "node_modules"))
      const packaged = join(cwd, "packages/orders")
      mkdirSync(packaged, { recursive: true })
      const configured = (compilerOptions: object) =>
        Effect.suspend(() => {
          writeFileSync(join(packaged, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["a.ts"] }))
          writeFileSync(join(packaged, "a.ts"), "export {}\n")
          return Effect.map(commandIn({ cwd: packaged }, "doctor", "--json"), ({ out }) =>
            findings(out).filter((finding) => finding.endsWith("tsconfig.json"))
          )
        })
      assert.deepStrictEqual(yield* configured({ erasableSyntaxOnly: true }), ["ok tsconfig.json"])
      assert.deepStrictEqual(yield* configured({ erasableSyntaxOnly: true, strict: false }), ["problem tsconfig.json"])
    }).pipe(Effect.scoped)
  )

  it.live("compares versions with what the package works with", () =>
    Effect.gen(function* () {
      const cwd = yield* emptyFolder
      const versions = { effect: "3.22.0", "@effect/platform-node": "4.0.0" }
      for (const [name, version] of Object.entries(versions)) {
        mkdirSync(join(cwd, "node_modules", name), { recursive: true })
        writeFileSync(join(cwd, "node_modules", name, "package.json"), JSON.stringify({ name, version }))
      }
      const ran = yield* commandIn({ cwd }, "doctor")
      assert.strictEqual(ran.code, 1)
      assert.match(
        ran.out,
        /^problem +effect +is 3\.22\.0, and effect-durable works with ~4\.1\.0: npm i effect@"~4\.1\.0"/m
      )
      assert.match(ran.out, /^problem +effect +is there twice/m)
      assert.match(ran.out, /^problem +@effect\/platform-node +is 4\.0\.0/m)
      assert.match(ran.out, /^ok +@aws-sdk\/client-lambda +is not installed/m)
    }).pipe(Effect.scoped)
  )
})
