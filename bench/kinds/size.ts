/**
 * The bundle of the smallest durable function, made small by esbuild, beside that of AWS's SDK with the client that it needs.
 * Ours has a client in it. `npm run size` shows what is in them, and keeps to a budget.
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
