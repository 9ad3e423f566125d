/**
 * The shape of the source: dependencies point one way, the core runs anywhere, and only what Effect calls stable is used.
 */
import { readdirSync, readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join, normalize, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"

const root = fileURLToPath(new URL("../src/", import.meta.url))
const effectSource = join(dirname(createRequire(import.meta.url).resolve("effect/package.json")), "src")

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

/** The part of the source that a file belongs to. */
const partOf = (file: string): string => {
  const folder = file.includes("/") ? file.slice(0, file.indexOf("/")) : ""
  if (folder !== "") return folder
  return file === "DurableError.ts" ? "DurableError" : "authoring"
}

/** What each part may import, besides itself. */
const allowed: Readonly<Record<string, ReadonlyArray<string>>> = {
  DurableError: [],
  internal: [],
  wire: ["DurableError"],
  engine: ["wire", "internal"],
  runtime: ["wire", "internal", "DurableError", "authoring"],
  durable: ["runtime", "wire", "internal", "DurableError", "authoring"],
  authoring: ["durable", "runtime", "wire", "internal", "DurableError"],
  lambda: ["runtime", "wire", "internal", "DurableError", "authoring"],
  testing: ["engine", "runtime", "wire", "internal", "DurableError", "authoring"],
  local: ["engine", "runtime", "wire", "internal", "DurableError", "authoring"],
  cli: ["local", "testing", "lambda", "engine", "runtime", "wire", "internal", "DurableError", "authoring"]
}

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

  it("has dependencies that point one way: cli, then hosts, then engine and runtime, then wire, then errors", () => {
    for (const file of files) assert.property(allowed, partOf(file), `${file} is in no known part`)
    assert.deepStrictEqual(
      offences(({ file, module, own }) => {
        const [from, to] = [partOf(file), partOf(module)]
        return own && from !== to && !allowed[from]?.includes(to)
      }),
      []
    )
  })

  it("has a core that knows nothing of the modules that users import from it", () => {
    const faces = ["index.ts", "Durable.ts"]
    assert.deepStrictEqual(
      offences(({ file, module, own }) => own && faces.includes(module) && /^(runtime|wire|engine)\//.test(file)),
      []
    )
  })

  it("has no cycle of imports that are there at run time", () => {
    const edges = new Map(
      files.map((file) => [
        file,
        importsOf(file)
          .filter((found) => found.own && !found.typeOnly)
          .map((found) => found.module)
      ])
    )
    const done = new Set<string>()
    const visit = (file: string, path: ReadonlyArray<string>): void => {
      assert.notInclude(path, file, `${[...path, file].join(" → ")} is a cycle`)
      if (done.has(file)) return
      for (const next of edges.get(file) ?? []) visit(next, [...path, file])
      done.add(file)
    }
    for (const file of files) visit(file, [])
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
      local: /^@effect\/platform-node\//,
      cli: /^@effect\/platform-node\//
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
    const hosts = ["lambda", "local", "cli", "testing"]
    assert.deepStrictEqual(
      offences(({ file, module }) => module.startsWith("node:") && !hosts.includes(partOf(file))),
      []
    )
  })

  it("does not load the engine, the hosts or Node with what users import", () => {
    const loaded = new Set<string>()
    const load = (file: string): void => {
      if (loaded.has(file)) return
      loaded.add(file)
      for (const found of importsOf(file)) {
        if (found.typeOnly) continue
        assert.isFalse(found.module.startsWith("node:"), `${file} imports ${found.module}`)
        if (found.own) load(found.module)
      }
    }
    load("index.ts")
    const parts = new Set([...loaded].map(partOf))
    assert.deepStrictEqual([...parts].toSorted(), [
      "DurableError",
      "authoring",
      "durable",
      "internal",
      "runtime",
      "wire"
    ])
  })
})

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
  const mayBeUnstable = ["local", "cli"]
  const core = imports.filter(
    ({ file, module }) => module.startsWith("effect/") && !mayBeUnstable.includes(partOf(file))
  )

  it("only stable modules are used outside of local and cli", () => {
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
