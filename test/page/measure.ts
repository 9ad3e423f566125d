/**
 * How quick the page of the local engine is, measured in the browser: `npm run load:page [-- --rounds N --json]`.
 *
 * It opens the list of 10,000 executions and the page of 3,000 operations again and again, and scrolls each. The
 * answer is what the browser waits for, from its request to the last byte; a frame is what it takes to draw while it scrolls.
 * Judges nothing: how fast a machine is says nothing about the code.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import process from "node:process"
import { commandLine, count, flag } from "../../scripts/commandLine.ts"
import * as Service from "../../src/engine/Service.ts"
import { returned } from "../local/support.ts"
import { close, done, executable, open } from "./browser.ts"
import { large, scene, type Scene } from "./scene.ts"

const { values } = commandLine("load:page", { rounds: count(10), json: flag })

/** Executions of which some go on and some failed. */
const many = Effect.fnUntraced(function* ({ machine, pass, stage }: Scene, count: number) {
  for (let index = 0; index < count; index++) {
    const request = {
      functionName: "orders:$LATEST",
      executionName: `order-${index}`,
      payload: JSON.stringify({ id: index, note: "x".repeat(1_000) }),
      invocationType: "Event" as const
    }
    Result.getOrThrow(machine.command(Service.startExecution, request))
    const { end } = yield* stage.next
    if (index % 100 === 0) continue
    yield* end(
      returned(index % 50 === 1 ? { Status: "FAILED", Error: { ErrorType: "Declined" } } : { Status: "SUCCEEDED" })
    )
  }
  yield* pass(0)
})

const timing = `(() => {
  const [{ requestStart, responseEnd, domContentLoadedEventEnd, startTime }] = performance.getEntriesByType("navigation")
  return { answer: responseEnd - requestStart, ready: domContentLoadedEventEnd - startTime }
})()`

/** Scrolls down as quickly as one turns a wheel, a hundred times, and tells how long each frame took. */
const scrolling = `new Promise((resolve) => {
  const frames = []
  let last = performance.now()
  const next = (now) => {
    frames.push(now - last)
    last = now
    if (frames.length > 100) return resolve(frames.slice(1))
    scrollBy(0, 120)
    requestAnimationFrame(next)
  }
  requestAnimationFrame(next)
})`

const within = (numbers: ReadonlyArray<number>, part: number): number => {
  const sorted = numbers.toSorted((a, b) => a - b)
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0)
}

const measure = Effect.fnUntraced(function* (what: string, address: string) {
  const { page } = yield* open({ viewport: { width: 1_440, height: 900 } })
  const answers: Array<number> = []
  const ready: Array<number> = []
  const frames: Array<number> = []
  for (let round = 0; round < values.rounds; round++) {
    yield* done(() => page.goto(address))
    const found = yield* done(() => page.evaluate<{ readonly answer: number; readonly ready: number }>(timing))
    answers.push(found.answer)
    ready.push(found.ready)
    frames.push(...(yield* done(() => page.evaluate<ReadonlyArray<number>>(scrolling))))
  }
  return {
    what,
    firstAnswer: Math.round(answers[0] ?? 0),
    answer: within(answers, 0.5),
    ready: within(ready, 0.5),
    frame: within(frames, 0.5),
    frame95: within(frames, 0.95),
    slowestFrame: within(frames, 1)
  }
})

const main = Effect.gen(function* () {
  const shown = yield* scene()
  yield* many(shown, 10_000)
  yield* large(shown, "import")
  const results = [
    yield* measure("the list of 10,000 executions", `${shown.url}/_ui/`),
    yield* measure("a search in it", `${shown.url}/_ui/?name=99&status=FAILED`),
    yield* measure("the page of 3,000 operations", `${shown.url}/_ui/executions/import`)
  ]
  yield* done(close)
  for (const { answer, firstAnswer, frame, frame95, ready, slowestFrame, what } of results) {
    console.log(
      `${what}: answered in ${answer} ms (the first time ${firstAnswer}), ready in ${ready} ms, frames of ${frame} ms (95 %: ${frame95}, slowest: ${slowestFrame})`
    )
  }
  if (values.json) console.log(JSON.stringify(results))
})

if (executable === undefined) {
  console.error("There is no Chromium here. Install one, or name it in CHROMIUM.")
  process.exitCode = 1
} else await Effect.runPromise(Effect.scoped(main))
