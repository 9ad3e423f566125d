/** The smallest durable function of AWS's SDK. */
import { withDurableExecution } from "@aws/durable-execution-sdk-js"

export const handler = withDurableExecution((_, context) => context.step("greet", () => Promise.resolve("hello")))
