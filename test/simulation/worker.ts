/**
 * A process that judges seeds one after the other, as `main.ts` asks for them.
 */
import process from "node:process"
import { judge, type Verdict } from "./judge.ts"

/** What a worker tells: that it goes on, or how a seed was judged. */
export type Message = { readonly tag: "moved" } | { readonly tag: "judged"; readonly verdict: Verdict }

const tell = (message: Message): void => void process.send?.(message)

process.on("message", (seed) => {
  void judge(Number(seed), { patience: 10_000 }, () => tell({ tag: "moved" })).then((verdict) =>
    tell({ tag: "judged", verdict })
  )
})
