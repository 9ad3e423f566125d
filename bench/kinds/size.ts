/**
 * The bundle of the smallest durable function, minified by esbuild, and that of AWS's SDK with the client that it
 * needs. Our bundle contains its client. `npm run size` shows the contents of our bundles, and checks a budget.
 */
import { failure, type Benchmark, type Finding } from "../benchmark.ts"
import { bundled, type Program } from "../bundle.ts"
import { spreadOf } from "../numbers.ts"

const programs: ReadonlyArray<Program> = ["hello", "namespaces"]

export const size: Benchmark = async function* (options) {
  for (const program of programs) {
    const name = `size/${program}`
    if (!options.wants(name)) continue
    try {
      const ours = await bundled(program, { package: options.package })
      const aws = await bundled("aws", { withClient: true })
      const finding = (metric: "bytes" | "gzip"): Finding => ({
        kind: "measured",
        name: `${name}/${metric}`,
        unit: metric === "bytes" ? "B" : "B compressed",
        ours: spreadOf([ours[metric]]),
        aws: spreadOf([aws[metric]])
      })
      yield finding("bytes")
      yield finding("gzip")
    } catch (error) {
      yield failure(name, error)
    }
  }
}
