/**
 * One sample of a test engine: `testing.ts ours|aws DIR`. The tested workflow has ten steps and five waits of an hour,
 * which both engines skip. The last line is the sample: the cost of the first test, and the median of later ones.
 */
import process from "node:process"
import { median } from "../numbers.ts"
import { resolveFrom } from "./resolve.ts"
import type { TestSubject } from "./testing/subject.ts"

const [, , engine, folder = ""] = process.argv
resolveFrom(folder)

const subject: TestSubject =
  engine === "ours" ? (await import("./testing/ours.ts")).ours : (await import("./testing/aws.ts")).aws

const runs = 10

// AWS's runner replaces the clock with one that skips time.
const now = performance.now.bind(performance)

const test = async (): Promise<{ readonly cpu: number; readonly wall: number }> => {
  const cpu = process.cpuUsage()
  const wall = now()
  const found = await subject.test()
  if (found !== 45) throw new Error(`Expected the result 45, found ${found}.`)
  const spent = process.cpuUsage(cpu)
  return { cpu: (spent.user + spent.system) / 1_000, wall: now() - wall }
}

await subject.begin()
const first = await test()
const later: Array<{ readonly cpu: number; readonly wall: number }> = []
for (let i = 0; i < runs; i++) later.push(await test())
await subject.end()

const sample = {
  "first-wall": first.wall,
  "first-cpu": first.cpu,
  "later-wall": median(later.map(({ wall }) => wall)),
  "later-cpu": median(later.map(({ cpu }) => cpu))
}
console.log(JSON.stringify(sample))
process.exit()
