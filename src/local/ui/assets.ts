/**
 * The files of the page: its style, its script, its icon.
 *
 * Owns: their names and types. Does not own: their content.
 *
 * @since 0.1.0
 */
import { readFileSync } from "node:fs"

interface Asset {
  readonly text: string
  readonly type: string
}

const asset = (name: string, type: string): readonly [string, Asset] => [
  name,
  { text: readFileSync(new URL(`./assets/${name}`, import.meta.url), "utf8"), type }
]

/** The files by their names. They are read when an engine with a page is loaded. */
export const assets: ReadonlyMap<string, Asset> = new Map([
  asset("style.css", "text/css; charset=utf-8"),
  asset("client.js", "text/javascript; charset=utf-8"),
  asset("icon.svg", "image/svg+xml")
])
