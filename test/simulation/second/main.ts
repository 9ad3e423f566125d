/**
 * `npm run simulate:second -- --programs N [--seed S] [--kill never|before:3,lost:5] [--json]`
 *
 * Runs random workflows with Effect's own concurrency and the library's, undisturbed and then killed. Prints the seed first;
 * for each program in which something is wrong, the smallest one that shows it, and the line that repeats it; and last
 * `N programs, N runs, N violations`. Exits with 1 if anything was wrong.
 */
import { main } from "../kit/command.ts"
import { fuzzer } from "./fuzzer.ts"

await main(
  fuzzer,
  ({ failures, programs, runs }) => `${programs} programs, ${runs} runs, ${failures.length} violations`
)
