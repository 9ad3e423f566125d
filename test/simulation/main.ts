/**
 * `npm run simulate -- --seeds N [--seed S] [--jobs J] [--json]`
 *
 * Runs the random program of each seed, without faults and under random ones, in so many processes. Prints the seed first;
 * for each program in which something is wrong, the smallest one that shows it, and the line that repeats it; and last
 * `N seeds, N executions, N violations`. Exits with 1 if anything was wrong.
 */
import { fork } from "node:child_process"
import { availableParallelism } from "node:os"
import process from "node:process"
import { commandLine, count, flag, seed as seedPart } from "../../scripts/commandLine.ts"
import { showViolation, type Verdict, type Violation } from "./judge.ts"
import type { Message } from "./worker.ts"

/** Real milliseconds after which a run is given up of which nothing more is heard. */
const patience = 60_000

/** Judges a seed in a process that is there as long as nothing goes wrong with it. */
class Worker {
  #process = start()

  judge(seed: number): Promise<Verdict> {
    return new Promise((resolve) => {
      const worker = this.#process
      const lose = (problem: string): void => {
        clearTimeout(timer)
        worker.removeAllListeners()
        worker.kill("SIGKILL")
        this.#process = start()
        resolve(lostVerdict(seed, problem))
      }
      const wait = (): NodeJS.Timeout => setTimeout(() => lose("It never comes to an end."), patience)
      let timer = wait()
      worker.on("exit", (code) => lose(`The process died with ${code}.`))
      worker.on("message", (message: Message) => {
        clearTimeout(timer)
        if (message.tag === "moved") return void (timer = wait())
        worker.removeAllListeners()
        resolve(message.verdict)
      })
      worker.send(seed)
    })
  }

  stop(): void {
    this.#process.kill()
  }
}

const start = () => fork(new URL("worker.ts", import.meta.url))

const lostVerdict = (seed: number, problem: string): Verdict => ({
  executions: 1,
  injected: 0,
  requests: 0,
  violation: { seed, problem, smallest: undefined, repeat: `npm run simulate -- --seeds 1 --seed ${seed}` }
})

const { values } = commandLine("simulate", {
  seeds: count(100),
  seed: seedPart(),
  jobs: count(availableParallelism()),
  json: flag
})
const { jobs, seed, seeds } = values

console.log(`SEED=${seed}`)
const began = performance.now()
const total = { executions: 0, injected: 0, requests: 0 }
const violations: Array<Violation> = []
let next = 0
const work = async (): Promise<void> => {
  const worker = new Worker()
  // Each program has a seed of its own, by which it can be repeated alone.
  for (let number = next++; number < seeds; number = next++) {
    const { executions, injected, requests, violation } = await worker.judge((seed + number) % 2 ** 32)
    total.executions += executions
    total.injected += injected
    total.requests += requests
    if (violation === undefined) continue
    violations.push(violation)
    if (!values.json) console.log(showViolation(violation))
  }
  worker.stop()
}
await Promise.all(Array.from({ length: Math.min(jobs, seeds) }, work))

const seconds = (performance.now() - began) / 1_000
if (values.json) console.log(JSON.stringify({ seed, seeds, ...total, seconds, violations }))
else {
  const rate = `${Math.round(total.executions / seconds)} executions a second`
  console.log(`${total.requests} requests, ${total.injected} faults, ${rate}`)
}
console.log(`${seeds} seeds, ${total.executions} executions, ${violations.length} violations`)
process.exit(violations.length === 0 ? 0 : 1)
