/**
 * The shape of the source: dependencies point one way, files say what they own and are read in one sitting, the core runs
 * anywhere, and only what Effect calls stable is used.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join, normalize, relative } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"

const root = fileURLToPath(new URL("../src/", import.meta.url))
const require = createRequire(import.meta.url)
const effectSource = join(dirname(require.resolve("effect/package.json")), "src")

interface Import {
  /** The importing file, relative to src. */
  readonly file: string
  /** The module as it is written, or for a module of ours its file relative to src. */
  readonly module: string
  readonly own: boolean
  /** Whether it vanishes when types are stripped. */
  readonly typeOnly: boolean
  /** The name of a namespace import. */
  readonly namespace: string | undefined
}

const files = readdirSync(root, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.replaceAll("\\", "/"))
  .toSorted()

const textOf = (file: string): string => readFileSync(join(root, file), "utf8")

/** Without comments, so that examples in them do not count. */
const codeOf = (file: string): string => textOf(file).replace(/\/\*[\s\S]*?\*\//g, "")

const statement = /^(import|export)(\s+type)?\s+([^"';]*?)\s*from\s+"([^"]+)"/gm
const sideEffect = /^import\s+"([^"]+)"/gm
const dynamic = /\bimport\(\s*"([^"]+)"\s*\)/g

const importsOf = (file: string): ReadonlyArray<Import> => {
  const code = codeOf(file)
  const found: Array<Import> = []
  const add = (module: string, typeOnly: boolean, namespace?: string): void => {
    const own = module.startsWith(".")
    found.push({
      file,
      module: own ? normalize(join(dirname(file), module)).replaceAll("\\", "/") : module,
      own,
      typeOnly,
      namespace
    })
  }
  for (const [, , type, names = "", module = ""] of code.matchAll(statement)) {
    const inline = /^\{[^}]*\}$/.test(names)
    const members = inline
      ? names
          .slice(1, -1)
          .split(",")
          .map((name) => name.trim())
          .filter((name) => name !== "")
      : []
    const onlyTypes = inline && members.length > 0 && members.every((name) => name.startsWith("type "))
    add(module, type !== undefined || onlyTypes, /\*\s+as\s+(\w+)/.exec(names)?.[1])
  }
  for (const pattern of [sideEffect, dynamic]) for (const [, module = ""] of code.matchAll(pattern)) add(module, false)
  return found
}

const imports = files.flatMap(importsOf)

/** The modules that users import, by what they may know. What is in no folder and not listed here is a word. */
const modules: Readonly<Record<string, string>> = {
  "DurableError.ts": "errors",
  "EffectError.ts": "errors",
  "Targets.ts": "contracts",
  "DurableClient.ts": "client",
  "Telemetry.ts": "telemetry",
  "Durable.ts": "faces",
  "DurableFunction.ts": "contracts",
  "index.ts": "faces"
}

/** The part of the source that a file belongs to. */
const partOf = (file: string): string =>
  file.includes("/") ? file.slice(0, file.indexOf("/")) : (modules[file] ?? "words")

/**
 * The parts of the source from the ground up, and what each may import besides itself. All arrows point back up this list.
 * *Words* are what users and the runtime say to each other without knowing an execution, such as `RetryPolicy`.
 */
const parts: ReadonlyArray<readonly [part: string, below: ReadonlyArray<string>]> = [
  ["errors", []],
  ["internal", []],
  ["wire", []],
  ["words", ["errors", "internal", "wire"]],
  ["values", ["errors", "internal", "wire", "words"]],
  ["execution", ["errors", "internal", "wire", "words", "values"]],
  ["contracts", ["errors", "internal", "wire", "words", "execution"]],
  ["client", ["errors", "internal", "wire", "words", "values", "contracts"]],
  ["operations", ["errors", "internal", "wire", "words", "values", "execution", "contracts", "client"]],
  ["telemetry", ["internal", "wire", "words", "values", "execution"]],
  [
    "invocation",
    ["errors", "internal", "wire", "words", "values", "execution", "contracts", "operations", "telemetry"]
  ],
  ["faces", ["errors", "wire", "words", "execution", "contracts", "client", "operations", "telemetry"]],
  ["view", ["wire", "values", "client"]],
  ["engine", ["internal", "wire"]],
  ["hosting", ["internal", "wire", "words", "values", "contracts", "client", "engine"]],
  // Its handler has a small workflow of its own run, so that code is compiled early.
  ["lambda", ["errors", "internal", "wire", "words", "execution", "contracts", "client", "operations", "invocation"]],
  [
    "testing",
    [
      "errors",
      "internal",
      "wire",
      "words",
      "values",
      "execution",
      "contracts",
      "client",
      "view",
      "invocation",
      "engine",
      "hosting"
    ]
  ],
  [
    "local",
    ["errors", "internal", "wire", "words", "contracts", "client", "view", "invocation", "lambda", "engine", "hosting"]
  ],
  ["cli", ["errors", "internal", "wire", "client", "view", "lambda", "local"]]
]

const allowed = new Map(parts)

const offences = (isOffence: (found: Import) => boolean): ReadonlyArray<string> =>
  imports.filter(isOffence).map(({ file, module }) => `${file} imports ${module}`)

describe("The source", () => {
  it("is all there for this test to see", () => {
    assert.isAbove(files.length, 50)
    assert.isAbove(imports.length, 200)
    const missing = imports.filter(({ module, own }) => own && !files.includes(module))
    assert.deepStrictEqual(
      missing.map(({ file, module }) => `${file} imports ${module}`),
      []
    )
  })

  it("has parts whose dependencies point one way, types included", () => {
    for (const file of files) assert.isTrue(allowed.has(partOf(file)), `${file} is in no known part`)
    parts.forEach(([part, below], at) => {
      const known = parts.slice(0, at).map(([name]) => name)
      for (const name of below) assert.include(known, name, `${part} may import ${name}, which is no part below it`)
    })
    assert.deepStrictEqual(
      offences(({ file, module, own }) => {
        const [from, to] = [partOf(file), partOf(module)]
        return own && from !== to && allowed.get(from)?.includes(to) !== true
      }),
      []
    )
  })

  it("has no circle of imports, types included", () => {
    const circles = circlesIn(
      new Map(
        files.map((file) => [
          file,
          importsOf(file)
            .filter(({ own }) => own)
            .map(({ module }) => module)
        ])
      )
    )
    assert.deepStrictEqual(
      circles.map((circle) =>
        imports
          .filter(({ file, module }) => circle.includes(file) && circle.includes(module))
          .map(({ file, module }) => `${file} imports ${module}`)
      ),
      []
    )
  })

  it("would show a circle", () => {
    const edges = { a: ["b", "c"], b: ["c"], c: ["b"], d: ["d"] }
    assert.deepStrictEqual(circlesIn(new Map(Object.entries(edges))), [["b", "c"], ["d"]])
  })

  it("has files that open with why they exist, and in the runtime with what they own", () => {
    const opensWith = (pattern: RegExp) => (file: string) =>
      pattern.test(/^\/\*\*[\s\S]*?\*\//.exec(textOf(file).replace(/^#!.*\n/, ""))?.[0] ?? "")
    assert.deepStrictEqual(
      files.filter((file) => /^(execution|operations)\//.test(file)).filter((file) => !opensWith(/^ \* Owns: /m)(file)),
      []
    )
    assert.deepStrictEqual(
      files.filter((file) => !opensWith(/^\/\*\*\n \* \S/)(file) && !opensWith(/^\/\*\* \S/)(file)),
      []
    )
  })

  it("has no function of more than 60 lines", () => {
    const folder = mkdtempSync(join(tmpdir(), "effect-durable-lint-"))
    const config = join(folder, "oxlint.json")
    const rules = { "max-lines-per-function": ["error", { max: 60 }] }
    writeFileSync(config, JSON.stringify({ plugins: [], categories: { correctness: "off" }, rules }))
    const bin = join(dirname(require.resolve("oxlint/package.json")), "bin/oxlint")
    const { status, stdout } = spawnSync(process.execPath, [bin, "-c", config, "--format=unix", root], {
      encoding: "utf8"
    })
    rmSync(folder, { recursive: true })
    assert.strictEqual(status, 0, stdout)
    assert.notInclude(stdout, "max-lines-per-function")
  })

  it("imports modules of effect and never a barrel", () => {
    const isModule = (module: string): boolean => {
      const path = module.replace(/^effect\//, "")
      const last = path.split("/").at(-1) ?? ""
      return module.startsWith("effect/") && /^[A-Z]/.test(last) && existsIn(effectSource, `${path}.ts`)
    }
    assert.deepStrictEqual(
      offences(({ module, own }) => !own && /^effect(\/|$)/.test(module) && !isModule(module)),
      []
    )
  })

  it("depends on nothing but effect outside of the hosts", () => {
    const mayUse: Readonly<Record<string, RegExp>> = {
      lambda: /^@aws-sdk\/client-lambda$/,
      // A module of it and never the whole, which needs more packages.
      local: /^@effect\/platform-node\/\w+$/,
      cli: /^@effect\/platform-node\/\w+$/
    }
    assert.deepStrictEqual(
      offences(
        ({ file, module, own }) =>
          !own && !/^(effect\/|node:)/.test(module) && !(mayUse[partOf(file)]?.test(module) ?? false)
      ),
      []
    )
  })

  it("has no modules of Node in what runs anywhere", () => {
    const hosts = ["lambda", "testing", "local", "cli"]
    assert.deepStrictEqual(
      offences(({ file, module }) => module.startsWith("node:") && !hosts.includes(partOf(file))),
      []
    )
  })

  it("has types of Node only in the backend for Lambda: an import of its modules makes cold starts slow", () => {
    assert.deepStrictEqual(
      offences(({ file, module, typeOnly }) => module.startsWith("node:") && partOf(file) === "lambda" && !typeOnly),
      []
    )
  })

  it("does not load the engine, the hosts or Node with what users import", () => {
    const loaded = loadedWith("index.ts")
    for (const file of loaded) {
      for (const { module, typeOnly } of importsOf(file)) {
        assert.isFalse(module.startsWith("node:") && !typeOnly, `${file} imports ${module}`)
      }
    }
    assert.deepStrictEqual([...new Set([...loaded].map(partOf))].toSorted(), [
      "client",
      "contracts",
      "errors",
      "execution",
      "faces",
      "internal",
      "operations",
      "telemetry",
      "values",
      "wire",
      "words"
    ])
  })

  it("does not load the client of programs, and its streams, with a workflow", () => {
    const loaded = new Set(["Durable.ts", "DurableFunction.ts", "lambda/LambdaHandler.ts"].flatMap(loadedWith))
    assert.isTrue(loaded.has("ClientPort.ts"))
    assert.isFalse(loaded.has("DurableClient.ts"))
    assert.deepStrictEqual(
      offences(({ file, module }) => module === "effect/Stream" && loaded.has(file)),
      []
    )
  })
})

/** A file and all that is loaded because of it. */
const loadedWith = (file: string): ReadonlyArray<string> => {
  const loaded = new Set<string>()
  const load = (next: string): void => {
    if (loaded.has(next)) return
    loaded.add(next)
    for (const { module, own, typeOnly } of importsOf(next)) if (own && !typeOnly) load(module)
  }
  load(file)
  return [...loaded]
}

/** The groups of files that import each other in a circle, by Tarjan's algorithm. */
const circlesIn = (edges: ReadonlyMap<string, ReadonlyArray<string>>): ReadonlyArray<ReadonlyArray<string>> => {
  const order = new Map<string, number>()
  const open: Array<string> = []
  const circles: Array<ReadonlyArray<string>> = []
  const visit = (file: string): number => {
    const index = order.size
    let low = index
    order.set(file, index)
    open.push(file)
    for (const next of edges.get(file) ?? []) {
      if (!order.has(next)) low = Math.min(low, visit(next))
      else if (open.includes(next)) low = Math.min(low, order.get(next) ?? low)
    }
    if (low !== index) return low
    const group = open.splice(open.indexOf(file))
    if (group.length > 1 || edges.get(file)?.includes(file) === true) circles.push(group.toSorted())
    return low
  }
  for (const file of edges.keys()) if (!order.has(file)) visit(file)
  return circles
}

const existsIn = (folder: string, file: string): boolean =>
  readdirSync(dirname(join(folder, file)), { encoding: "utf8" }).includes(
    relative(dirname(join(folder, file)), join(folder, file))
  )

const effectModules = new Map<string, string>()

const effectModule = (module: string): string => {
  const known = effectModules.get(module)
  if (known !== undefined) return known
  const text = readFileSync(join(effectSource, `${module.replace(/^effect\//, "")}.ts`), "utf8")
  effectModules.set(module, text)
  return text
}

const tagIn = (comments: string): string => /@stability (\w+)/.exec(comments)?.[1] ?? "untagged"

/** How stable Effect calls one of its modules, in the comments at its head. */
const stabilityOf = (text: string): string => tagIn(text.slice(0, text.search(/^(import|export) /m)))

/** How stable Effect calls what a module exports under a name. Overloads and merged types all count. */
const memberStability = (text: string, member: string): ReadonlyArray<string> => {
  const declaration = new RegExp(
    String.raw`^export (?:declare |abstract )*(?:const|function|class|interface|type|namespace|let) ${member}\b`,
    "gm"
  )
  return [...text.matchAll(declaration)].map(({ index }) => {
    const before = text.slice(0, index).trimEnd()
    return before.endsWith("*/") ? tagIn(before.slice(before.lastIndexOf("/**"))) : "untagged"
  })
}

describe("Of effect", () => {
  // The local engine is a server, and what Effect has for servers is not stable yet, nor what it has for command lines; both are
  // tools, and no part of a deployment.
  const tools = ["local", "cli"]
  const core = imports.filter(({ file, module }) => module.startsWith("effect/") && !tools.includes(partOf(file)))

  it("only stable modules are used", () => {
    const unstable = core.filter(({ module }) => stabilityOf(effectModule(module)) !== "stable")
    assert.deepStrictEqual(
      unstable.map(({ file, module }) => `${file} imports ${module}`),
      []
    )
  })

  it("only stable members of them are used", () => {
    const found = new Set<string>()
    for (const { file, module, namespace } of core) {
      if (namespace === undefined) continue
      const used = new Set(
        [...codeOf(file).matchAll(new RegExp(String.raw`\b${namespace}\.(\w+)`, "g"))].map(([, name]) => name ?? "")
      )
      for (const member of used) {
        const unstable = memberStability(effectModule(module), member).filter(
          (tag) => tag !== "stable" && tag !== "untagged"
        )
        if (unstable.length > 0) found.add(`${file} uses ${namespace}.${member}, which is ${unstable.join(", ")}`)
      }
    }
    assert.deepStrictEqual([...found], [])
  })

  it("the tags can be read: a stable module, an unstable one, a stable member", () => {
    assert.strictEqual(stabilityOf(effectModule("effect/Effect")), "stable")
    assert.strictEqual(stabilityOf(effectModule("effect/workflow/Workflow")), "unstable")
    assert.deepStrictEqual(memberStability(effectModule("effect/Effect"), "succeed"), ["stable"])
  })
})
