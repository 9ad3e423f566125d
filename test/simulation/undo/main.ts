/**
 * `npm run undo -- --programs N [--seed S] [--kill never|before:3,lost:5] [--json]`
 *
 * Runs random workflows that fail at their end, kills their invocations, and checks that everything that was done is
 * undone: once, and the last first. Prints the seed first; for each program in which something is wrong, the smallest one
 * that shows it, and the line that repeats it; and last `N programs, N lost, N doubled`. The line before counts what was
 * wrong by its kind, undos in the wrong order and executions with another end too. Exits with 1 if anything was wrong.
 */
import { main } from "../kit/command.ts"
import { fuzzer } from "./fuzzer.ts"

await main(fuzzer, ({ failures, programs }) => {
  const count = (kind: (typeof failures)[number]["kinds"][number]): number =>
    failures.filter(({ kinds }) => kinds.includes(kind)).length
  return `${programs} programs, ${count("lost")} lost, ${count("doubled")} doubled`
})
