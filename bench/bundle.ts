/** Bundles of small functions, as they are deployed: their sizes and their contents. */
import { build as esbuild } from "esbuild"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { rolldown } from "rolldown"

const repository = join(import.meta.dirname, "..")

/** The programs of the folder `bundles`. */
export type Program = "hello" | "namespaces" | "barrel" | "aws"

export type Bundler = "esbuild" | "rolldown"

export interface Bundle {
  readonly code: string
  readonly bytes: number
  readonly gzip: number
  /** The bytes of each file in the bundle, the largest first. */
  readonly parts: ReadonlyArray<readonly [file: string, bytes: number]>
}

export interface BundleOptions {
  readonly bundler?: Bundler
  /** The folder of the built package. Default: this repository. */
  readonly package?: string
  /** Whether the bundle contains AWS's client, or takes it from the runtime of Lambda. Default: from the runtime. */
  readonly withClient?: boolean
}

const client = "@aws-sdk/client-lambda"

export const bundled = async (
  program: Program,
  { bundler = "esbuild", package: folder = repository, withClient = false }: BundleOptions = {}
): Promise<Bundle> => {
  const external = withClient ? [] : [client]
  const { code, parts } =
    bundler === "esbuild"
      ? await withEsbuild(program, program === "aws" ? repository : folder, external)
      : await withRolldown(program, external)
  return {
    code,
    bytes: Buffer.byteLength(code),
    gzip: gzipSync(code, { level: 9 }).length,
    parts: parts.filter(([, bytes]) => bytes > 0).toSorted(([, one], [, other]) => other - one)
  }
}

type Output = Pick<Bundle, "code" | "parts">

const fileOf = (program: Program): string => join(import.meta.dirname, `bundles/${program}.ts`)

/** The options that docs/deploying.md recommends. */
const withEsbuild = async (program: Program, resolveDir: string, external: Array<string>): Promise<Output> => {
  const { metafile, outputFiles } = await esbuild({
    stdin: { contents: readFileSync(fileOf(program), "utf8"), loader: "ts", resolveDir, sourcefile: `${program}.ts` },
    bundle: true,
    minify: true,
    platform: "node",
    format: "esm",
    target: "node22",
    mainFields: ["module", "main"],
    external,
    write: false,
    metafile: true
  })
  const [output] = Object.values(metafile.outputs)
  return {
    code: outputFiles[0]?.text ?? "",
    parts: Object.entries(output?.inputs ?? {}).map(([file, { bytesInOutput }]) => [shortOf(file), bytesInOutput])
  }
}

const withRolldown = async (program: Program, external: Array<string>): Promise<Output> => {
  const build = await rolldown({ input: fileOf(program), cwd: repository, platform: "node", external })
  const { output } = await build.generate({ format: "esm", minify: true, codeSplitting: false })
  await build.close()
  const [chunk] = output
  return {
    code: chunk.code,
    // The sizes before minification: rolldown reports no others.
    parts: Object.entries(chunk.modules).map(([file, { renderedLength }]) => [shortOf(file), renderedLength])
  }
}

/** Returns the name of the package of a file, or the path of a file of this package. */
const shortOf = (path: string): string => {
  const file = path.replaceAll("\\", "/")
  return file.includes("node_modules/")
    ? file.replace(/^.*node_modules\//, "")
    : file.replace(/^(.*\/)?(dist|bench)\//, "$2/")
}
