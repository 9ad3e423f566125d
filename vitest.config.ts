import process from "node:process"
import { configDefaults, defineConfig } from "vitest/config"

// One seed for everything random in a run. It is printed, and SEED=… repeats the run, or tries another one. Without it every
// run is the same, so that nothing fails which a change has nothing to do with; the commands that judge draw new seeds.
const seed = (process.env["SEED"] ??= "1")

export default defineConfig({
  // Tests import the package by its public name; this condition points that name at src/.
  resolve: { conditions: ["effect-durable-source"] },
  ssr: { resolve: { conditions: ["effect-durable-source"] } },
  test: {
    // By default one core is left idle, which on two cores is half of them.
    maxWorkers: "100%",
    include: ["test/**/*.test.ts"],
    // The code of README and guides, which test/docs writes there and runs itself.
    exclude: [...configDefaults.exclude, "test/docs/.generated/**"],
    env: { SEED: seed },
    reporters: ["default", "./scripts/summary-reporter.ts"],
    typecheck: { enabled: true, include: ["test/types/**/*.test-d.ts"], tsconfig: "./tsconfig.json" }
  }
})
