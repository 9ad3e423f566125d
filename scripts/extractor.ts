/** Reads declarations with API Extractor, which has a compiler of its own. */
import {
  CompilerState,
  Extractor,
  ExtractorConfig,
  ExtractorLogLevel,
  type ExtractorResult,
  type IConfigFile
} from "@microsoft/api-extractor"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { entryPoints, root, type EntryPoint } from "./declarations.ts"

const silent = { default: { logLevel: ExtractorLogLevel.None } }

/** The files to write about an entry point. */
type Output = Pick<IConfigFile, "apiReport"> & Partial<Pick<IConfigFile, "docModel">>

const configure = (folder: string, { types }: EntryPoint, output: Output): ExtractorConfig =>
  ExtractorConfig.prepare({
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: join(folder, types),
      newlineKind: "lf",
      compiler: {
        // The declarations that users get; the analysis itself uses another compiler.
        overrideTsconfig: {
          compilerOptions: {
            target: "ES2024",
            lib: ["ES2024", "DOM"],
            types: [],
            module: "NodeNext",
            strict: true,
            exactOptionalPropertyTypes: true,
            skipLibCheck: true
          },
          include: [folder]
        }
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: { extractorMessageReporting: silent, tsdocMessageReporting: silent },
      ...output
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(root, "package.json")
  })

/** Reads every entry point in a folder of declarations. */
export const extract = (
  folder: string,
  update: boolean,
  outputOf: (entry: EntryPoint) => Output
): ReadonlyArray<readonly [EntryPoint, ExtractorResult]> => {
  const configured = entryPoints.map((entry): [EntryPoint, ExtractorConfig] => {
    const path = join(folder, entry.types)
    if (!existsSync(path)) throw new Error(`There is no ${path}. Run npm run build.`)
    return [entry, configure(folder, entry, outputOf(entry))]
  })
  const [first] = configured
  if (first === undefined) return []
  const compilerState = CompilerState.create(first[1], {
    additionalEntryPoints: entryPoints.map(({ types }) => join(folder, types))
  })
  return configured.map(([entry, config]) => {
    const result = Extractor.invoke(config, {
      compilerState,
      localBuild: update,
      messageCallback: (message) => {
        if (message.logLevel !== ExtractorLogLevel.Error) message.handled = true
      }
    })
    if (result.errorCount > 0) throw new Error(`${entry.types} cannot be analysed.`)
    return [entry, result]
  })
}
