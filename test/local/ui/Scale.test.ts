/** The axis of time, and what templates escape. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { html } from "../../../src/local/ui/Html.ts"
import * as Scale from "../../../src/local/ui/Scale.ts"
import * as words from "../../../src/local/ui/words.ts"

const day = 86_400_000

describe("The axis of time", () => {
  it("is even where code ran most of the time", () => {
    const { at, canFold, isFolded, ticks } = Scale.make({
      start: 1_000,
      end: 11_000,
      suspensions: [{ start: 2_000, end: 3_000 }]
    })
    assert.deepStrictEqual([canFold, isFolded], [false, false])
    assert.deepStrictEqual([1_000, 3_500, 11_000].map(at), [0, 25, 100])
    assert.deepStrictEqual(
      ticks.map(({ label }) => label),
      ["0 ms", "2 s", "4 s", "6 s", "8 s"]
    )
  })

  it("gives a third of its width, at the most, to the days in which no code ran", () => {
    const options = { start: 0, end: 14 * day + 200, suspensions: [{ start: 100, end: 14 * day + 100 }] }
    const folded = Scale.make(options)
    assert.isTrue(folded.isFolded)
    assert.closeTo(folded.at(100), 33.3, 0.1)
    assert.closeTo(folded.at(14 * day + 100), 66.7, 0.1)
    const real = Scale.make({ ...options, wanted: "real" })
    assert.deepStrictEqual([real.isFolded, real.canFold], [false, true])
    assert.isBelow(real.at(100), 0.001)
  })

  it("goes on to the end of what is suspended still", () => {
    const { at, isFolded } = Scale.make({ start: 0, end: day, suspensions: [{ start: 1_000 }] })
    assert.isTrue(isFolded)
    assert.strictEqual(at(day), 100)
  })

  it("never goes back, whatever happened", () => {
    const spans = fc.array(fc.tuple(fc.nat(day), fc.nat(day)), { maxLength: 30 })
    fc.assert(
      fc.property(spans, fc.nat(day), fc.constantFrom("real" as const, "folded" as const), (gaps, end, wanted) => {
        const suspensions = gaps
          .map(([start, length]) => ({ start, end: start + length }))
          .toSorted((a, b) => a.start - b.start)
        const { at, ticks } = Scale.make({ start: 0, end, suspensions, wanted })
        const places = Array.from({ length: 50 }, (_, index) => at((end * index) / 49))
        places.forEach((place, index) => {
          assert.isTrue(place >= (places[index - 1] ?? 0) - 1e-9 && place <= 100, String(places))
        })
        for (const tick of ticks) assert.isTrue(tick.at >= 0 && tick.at <= 100)
      })
    )
  })
})

describe("A template", () => {
  it("escapes what is put in, and nothing of its own", () => {
    const hostile = `<b title="x" class='y'>&</b>`
    assert.strictEqual(
      html`<p title="${hostile}">${hostile}${[1, "<", html`<i>${">"}</i>`]}${false}${undefined}</p>`.text,
      `<p title="&#60;b title=&#34;x&#34; class=&#39;y&#39;&#62;&#38;&#60;/b&#62;">&#60;b title=&#34;x&#34; class=&#39;y&#39;&#62;&#38;&#60;/b&#62;1&#60;<i>&#62;</i></p>`
    )
  })

  it("leaves whatever is put in as it is laid out", () => {
    const text = "a\n    b"
    assert.strictEqual(html`<pre>        ${text}</pre>`.text.includes(text), true)
  })
})

describe("A length of time", () => {
  it("is said in its two largest units", () => {
    const said = [0, 999, 1_000, 9_949, 12_400, 60_000, 61_000, 3_599_000, 3_600_000, 90_000_000, 14 * day].map(
      words.duration
    )
    assert.deepStrictEqual(said, [
      "0 ms",
      "999 ms",
      "1.0 s",
      "9.9 s",
      "12 s",
      "1 m",
      "1 m 1 s",
      "59 m 59 s",
      "1 h",
      "1 d 1 h",
      "14 d"
    ])
  })
})
