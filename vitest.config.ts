import { defineConfig } from "vitest/config"

export default defineConfig({
  // Tests import the package by its public name; this condition points that name at src/.
  resolve: { conditions: ["effect-durable-source"] },
  ssr: { resolve: { conditions: ["effect-durable-source"] } },
  test: {
    include: ["test/**/*.test.ts"],
    typecheck: { enabled: true, include: ["test/types/**/*.test-d.ts"], tsconfig: "./tsconfig.json" }
  }
})
