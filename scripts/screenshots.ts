/**
 * Takes the pictures of the local engine's page for the documentation, from executions that are always the same.
 *
 * `npm run screenshots [-- FOLDER]`
 *
 * The script needs a Chromium. With a FOLDER it writes every page there, in both themes and at 390 and 1,440 pixels,
 * for people who change the appearance of the pages. Without one it writes the two pictures in `docs/images`. It fails
 * when a picture is too large for the repository.
 */
import * as Effect from "effect/Effect"
import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import process from "node:process"
import { close, done, executable, open } from "../test/page/browser.ts"
import { everything, large, scene, waiting } from "../test/page/scene.ts"

/** The maximum size of a picture, in bytes. */
const most = 150_000

const root = join(import.meta.dirname, "..")

interface Picture {
  readonly path: string
  readonly address: string
  readonly width: number
  readonly height: number
  readonly colorScheme: "light" | "dark"
}

const take = ({ address, colorScheme, height, path, width }: Picture) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { page } = yield* open({ colorScheme, reducedMotion: "reduce", viewport: { width, height } })
      yield* done(() => page.goto(address))
      yield* done(() =>
        page
          .getByText("Live", { exact: true })
          .waitFor({ timeout: 5_000 })
          .catch(() => undefined)
      )
      yield* done(() => page.screenshot({ path }))
      const bytes = statSync(path).size
      console.log(`${path}: ${bytes.toLocaleString("en")} bytes`)
      return bytes
    })
  )

/** All pages, by the names of their files. */
const pages = Effect.gen(function* () {
  const shown = yield* scene({ database: ".durable/local.db" })
  yield* everything(shown)
  return {
    list: `${shown.url}/_ui/`,
    execution: `${shown.url}/_ui/executions/order-1041?op=reserve`,
    shown
  }
})

const forDocs = Effect.gen(function* () {
  const { execution, list } = yield* pages
  const picture = { width: 1_280, colorScheme: "light" as const }
  return [
    { ...picture, height: 660, address: list, path: join(root, "docs/images/list.png") },
    { ...picture, height: 800, address: execution, path: join(root, "docs/images/execution.png") }
  ]
})

const forEyes = Effect.fnUntraced(function* (folder: string) {
  const { shown, ...addresses } = yield* pages
  yield* large(shown, "import-3000")
  const longName = "an-execution-with-a-name-that-is-as-long-as-any-name-may-be-1234"
  yield* waiting(shown, "orders", longName, 9_999)
  const empty = yield* scene({ database: ":memory:" })
  const at = (path: string): string => `${shown.url}/_ui/${path}`
  const all = {
    ...addresses,
    empty: `${empty.url}/_ui/`,
    order: at("executions/order-1041"),
    real: at("executions/order-1041?scale=real"),
    callback: at("executions/order-1041?op=ask"),
    failed: at("executions/charge-1038?op=bank"),
    crashed: at("executions/order-1040"),
    large: at("executions/import-3000"),
    long: at(`executions/${longName}`),
    events: at("executions/order-1041?view=events"),
    invocations: at("executions/order-1041?view=invocations"),
    nothing: at("nothing")
  }
  return Object.entries(all).flatMap(([name, address]) =>
    [390, 1_440].flatMap((width) =>
      (["light", "dark"] as const).map((colorScheme) => ({
        address,
        colorScheme,
        width,
        height: 900,
        path: join(folder, `${name}-${width}-${colorScheme}.png`)
      }))
    )
  )
})

const main = Effect.fnUntraced(function* (folder: string | undefined) {
  const pictures: ReadonlyArray<Picture> = yield* folder === undefined ? forDocs : forEyes(folder)
  for (const picture of pictures) {
    const bytes = yield* take(picture)
    if (folder === undefined && bytes > most) process.exitCode = 1
  }
  yield* done(close)
})

if (executable === undefined) {
  console.error("There is no Chromium here. Install one, or name it in CHROMIUM.")
  process.exitCode = 1
} else {
  const [given] = process.argv.slice(2)
  const folder = given === undefined ? undefined : resolve(given)
  mkdirSync(folder ?? join(root, "docs/images"), { recursive: true })
  // The pictures contain times and the name of the database.
  process.env["TZ"] = "UTC"
  const place = mkdtempSync(join(tmpdir(), "effect-durable-screenshots-"))
  process.chdir(place)
  await Effect.runPromise(Effect.scoped(main(folder)))
  rmSync(place, { recursive: true, force: true })
}
