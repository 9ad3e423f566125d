/**
 * A real browser for the tests of the page: the Chromium of this machine.
 *
 * Owns: where it is found, how it is started, and what a page said on its console.
 * Does not own: what is looked at.
 */
import { afterAll, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { existsSync } from "node:fs"
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core"

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]

/** The browser, if this machine has one. */
export const executable = process.env["CHROMIUM"] ?? places.find((place) => existsSync(place))

/** The one browser of a file of tests, from the first window on. */
let launched: Promise<Browser> | undefined

const launch = (): Promise<Browser> =>
  (launched ??= chromium.launch({ executablePath: executable ?? "chromium", args: quiet, timeout: 0 }))

/** Ends the browser, if there is one. */
export const close = async (): Promise<void> => {
  const browser = await launched
  launched = undefined
  await browser?.close()
}

/** Tests in a browser, which are skipped, and say so, where there is none. */
export const describeInBrowser = (name: string, tests: () => void): void => {
  if (executable === undefined) {
    describe.skip(`${name} (skipped: there is no Chromium here; install one, or name it in CHROMIUM)`, tests)
  } else {
    describe(name, () => {
      afterAll(close)
      tests()
    })
  }
}

const quiet = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync"
]

/** A window of a browser of its own. */
export interface Window {
  readonly page: Page
  /** Errors on the console, and those that nobody caught. */
  readonly complaints: ReadonlyArray<string>
}

/** Waits for what the browser does. */
export const done = <A>(act: () => Promise<A>): Effect.Effect<A> => Effect.promise(act)

/** Opens a window until the scope closes. */
export const open = (options: BrowserContextOptions = {}) =>
  Effect.gen(function* () {
    const context = yield* Effect.acquireRelease(
      done(async () => (await launch()).newContext(options)),
      (opened) => done(() => opened.close())
    )
    // The time of a test is limited by the test.
    context.setDefaultTimeout(0)
    const page = yield* done(() => context.newPage())
    const complaints: Array<string> = []
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()))
    page.on("pageerror", (error) => complaints.push(error.message))
    return { page, complaints } satisfies Window
  })
