/** Writes the declarations of the package as users get them, and lists its entry points. */
import { execFileSync } from "node:child_process"
import { globSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import manifest from "../package.json" with { type: "json" }

export const root = join(import.meta.dirname, "..")

export interface EntryPoint {
  /** An entry point: the name of the package, or a path below it. */
  readonly specifier: string
  /** The name of the package, or the path below it. */
  readonly name: string
  readonly source: string
  /** The path of the declarations below the folder of the build. */
  readonly types: string
}

/** Entry points that export modules. Each of these modules also has a path of its own, which is not described twice. */
export const entryPoints: ReadonlyArray<EntryPoint> = Object.entries(manifest.exports).flatMap(([path, entry]) =>
  typeof entry === "string" || !entry["effect-durable-source"].endsWith("/index.ts")
    ? []
    : [
        {
          specifier: path.replace(/^\./, manifest.name),
          name: path === "." ? manifest.name : path.slice(2),
          source: entry["effect-durable-source"].slice(2),
          types: entry.types.replace("./dist/", "")
        }
      ]
)

/** Compiles the package into a folder. Options make the compiler do less than by default. */
export const compile = (folder: string, ...options: ReadonlyArray<string>): void => {
  const tsc = join(root, "node_modules/.bin/tsc")
  execFileSync(tsc, ["-p", "tsconfig.build.json", "--outDir", folder, ...options], { cwd: root, stdio: "inherit" })
  for (const file of globSync("**/*.d.ts", { cwd: folder })) rewriteSpecifiers(join(folder, file))
}

/** The compiler turns `./File.ts` into `./File.js` in JavaScript, but leaves it in declarations. */
const rewriteSpecifiers = (path: string): void => {
  const text = readFileSync(path, "utf8")
  writeFileSync(path, text.replaceAll(/((?:from |import\(|import )"\.[^"]*)\.ts"/g, '$1.js"'))
}
