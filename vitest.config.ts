import process from "node:process"
import { configDefaults, defineConfig } from "vitest/config"

// One seed for everything random in a run. It is printed, and SEED=… repeats the run, or tries another one. Without it every
// run is the same, so that nothing fails which a change has nothing to do with; the commands that judge draw new seeds.
const seed = (process.env["SEED"] ??= "1")

// The time-out of a test is a net for what hangs. No test may depend on how fast a machine is, so it is long.
const net = 10 * 60_000

/** Tests that start processes, draw at random for long, or judge from outside: each kind is a command, `npm run test:KIND`. */
const kinds = {
  attack: ["test/attack/**/*.test.ts"],
  lambda: ["test/lambda/**/*.test.ts"],
  local: ["test/{local,cli}/**/*.test.ts"],
  fuzz: ["test/**/*.fuzz.test.ts"],
  page: ["test/page/**/*.test.ts"],
  docs: ["test/docs/**/*.test.ts"],
  package: ["test/package/**/*.test.ts"],
  examples: ["test/examples/**/*.test.ts"],
  conformance: ["test/conformance/**/*.test.ts"],
  simulation: ["test/simulation/**/*.test.ts"]
}

/** How the files of a project share processes. To load everything anew for each file would take most of the time. */
const shared = { isolate: false, setupFiles: ["./test/support/process.ts"] }

/** What `npm test` kills on some sides of each request, `npm run test:kills` kills on all. */
const killed = ["test/determinism/**/*.test.ts", "test/operations/{local,retryAsync,stepFibers}.test.ts"]

export default defineConfig({
  // Tests import the package by its public name; this condition points that name at src/.
  resolve: { conditions: ["effect-durable-source"] },
  ssr: { resolve: { conditions: ["effect-durable-source"] } },
  test: {
    // By default one core is left idle, which on two cores is half of them.
    maxWorkers: "100%",
    env: { SEED: seed },
    reporters: ["default", "./scripts/summary-reporter.ts"],
    testTimeout: net,
    hookTimeout: net,
    projects: [
      {
        extends: true,
        test: {
          // `npm test`
          ...shared,
          name: "quick",
          env: { SEED: seed, KILLS: "some" },
          include: ["test/**/*.test.ts"],
          exclude: [...configDefaults.exclude, "test/docs/.generated/**", ...Object.values(kinds).flat()]
        }
      },
      { extends: true, test: { ...shared, name: "kills", include: killed } },
      ...Object.entries(kinds).map(([name, include]) => ({
        extends: true as const,
        test: {
          name,
          include,
          // The code of README and guides, which test/docs writes there and runs itself.
          exclude: [...configDefaults.exclude, "test/docs/.generated/**"],
          // What pages link to has to be there before the first of them is looked at.
          globalSetup: name === "docs" ? ["./test/docs/reference.ts"] : []
        }
      })),
      {
        extends: true,
        test: {
          name: "types",
          include: [],
          typecheck: { enabled: true, only: true, include: ["test/types/**/*.test-d.ts"], tsconfig: "./tsconfig.json" }
        }
      }
    ]
  }
})
