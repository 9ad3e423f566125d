/**
 * The check of Node and of a project's packages: whether this package works with their versions.
 *
 * Owns: where packages are searched for, and how versions are compared.
 * Does not own: the required versions, which are in the manifest of this package.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { realpathSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import process from "node:process"
import type { CommandFailed } from "../CommandFailed.ts"
import { manifest, packageFolder, readManifest } from "../manifests.ts"
import { advice, type Finding, ok, problem } from "./Finding.ts"

/** The findings about missing packages. */
const absent: Readonly<Record<string, (range: string) => Finding>> = {
  effect: (range) => problem("effect", `is not installed: npm i effect@"${range}"`),
  "@effect/platform-node": (range) =>
    advice(
      "@effect/platform-node",
      `is not installed. Engines on this machine need it: npm i -D @effect/platform-node@"${range}"`
    ),
  "@aws-sdk/client-lambda": () =>
    ok(
      "@aws-sdk/client-lambda",
      "is not installed. Only LambdaClient.layerAwsSdk and LambdaCheckpoints.layerAwsSdk need it."
    ),
  "@aws-sdk/credential-providers": () =>
    ok(
      "@aws-sdk/credential-providers",
      "is not installed. Only credentials that are not in the environment need it, such as those of a profile."
    )
}

export const packageFindings: Effect.Effect<ReadonlyArray<Finding>, CommandFailed> = Effect.gen(function* () {
  const { engines, peerDependencies = {} } = yield* manifest
  const node = String(Reflect.get(Object(engines), "node"))
  const peers = yield* Effect.forEach(Object.entries(peerDependencies), ([name, range]) => peerFindings(name, range))
  return [
    fits(process.versions.node, node)
      ? ok("node", process.versions.node)
      : problem("node", `is ${process.versions.node}, and ${node} is needed`),
    ...peers.flat()
  ]
})

const peerFindings = (name: string, range: string): Effect.Effect<ReadonlyArray<Finding>, CommandFailed> =>
  Effect.gen(function* () {
    const ofProject = yield* find(name, process.cwd())
    if (ofProject === undefined) return absent[name] === undefined ? [] : [absent[name](range)]
    const ours = yield* find(name, packageFolder)
    const { folder, version } = ofProject
    return [
      fits(version, range)
        ? ok(name, version)
        : problem(name, `is ${version}, and effect-durable works with ${range}: npm i ${name}@"${range}"`),
      // Values of one copy are not recognised by the other.
      ...(name === "effect" && ours !== undefined && ours.folder !== folder
        ? [problem(name, `is there twice, at ${folder} and at ${ours.folder}. Install one version: npm ls effect`)]
        : [])
    ]
  })

interface Installed {
  readonly folder: string
  readonly version: string
}

/** Returns a package as Node finds it from a folder, regardless of the exports in its manifest. */
export const find = (name: string, from: string): Effect.Effect<Installed | undefined, CommandFailed> =>
  Effect.gen(function* () {
    for (let at = resolve(from); ; at = dirname(at)) {
      const folder = join(at, "node_modules", name)
      const found = yield* readManifest(join(folder, "package.json"))
      if (found !== undefined) return { folder: realpathSync(folder), version: found.version ?? "" }
      if (dirname(at) === at) return undefined
    }
  })

/** Returns whether a version is in a range of the forms that this package uses: `~1.2.3`, `^1.2.3` of 1 and above, `>=1.2`. */
export const fits = (version: string, range: string): boolean => {
  const numbers = (text: string): ReadonlyArray<number> => text.split(/[.-]/).slice(0, 3).map(Number)
  const [major = 0, minor = 0, patch = 0] = numbers(version)
  const [wantedMajor = 0, wantedMinor = 0, wantedPatch = 0] = numbers(range.replace(/^[~^>=]+/, ""))
  const isLater =
    major !== wantedMajor ? major > wantedMajor : minor !== wantedMinor ? minor > wantedMinor : patch >= wantedPatch
  if (range.startsWith("~")) return isLater && major === wantedMajor && minor === wantedMinor
  if (range.startsWith("^")) return isLater && major === wantedMajor
  return isLater
}
