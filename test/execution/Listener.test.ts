import { assert, describe, it } from "@effect/vitest"
import { listeners, type Listener } from "../../src/execution/Listener.ts"
import { Namespace } from "../../src/execution/Namespace.ts"
import { claimHost, claimOf, record } from "./support.ts"

describe("Several listeners", () => {
  it("all hear of everything, and none has to listen to all of it", () => {
    const heard: Array<string> = []
    const all = (who: string): Required<Listener> => ({
      claimed: ({ name }) => void heard.push(`${who} claimed ${name}`),
      delivered: ({ name }) => void heard.push(`${who} delivered ${name}`),
      acknowledged: (sent, millis) => void heard.push(`${who} acknowledged ${sent.length} after ${millis}`),
      told: (records) => void heard.push(`${who} told ${records.length}`),
      repeated: () => void heard.push(`${who} repeated`),
      outside: (place) => void heard.push(`${who} outside ${place}`),
      moved: () => void heard.push(`${who} moved`),
      warned: (message) => void heard.push(`${who} warned ${message}`)
    })
    const both = listeners([all("a"), {}, all("b")])
    const claim = claimOf(Namespace.root("arn", 0), "x", { host: claimHost() })
    both.claimed?.(claim)
    both.delivered?.(claim)
    both.acknowledged?.([], 5)
    both.told?.([record("x")])
    both.repeated?.()
    both.outside?.("here", "message")
    both.moved?.()
    both.warned?.("careful")
    const words = ["claimed x", "delivered x", "acknowledged 0 after 5", "told 1", "repeated", "outside here", "moved"]
    assert.deepStrictEqual(
      heard,
      [...words, "warned careful"].flatMap((text) => [`a ${text}`, `b ${text}`])
    )
  })
})
