/**
 * Where a command writes: its result to the standard output, and whatever else it has to say to the standard error, so that a
 * result can be piped on.
 *
 * Owns: the two streams, and whether there is a terminal with colors.
 * Does not own: what is written.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import process from "node:process"

/** A terminal that what is said on the way can be drawn on anew. */
export interface Terminal {
  readonly columns: () => number
  readonly rows: () => number
}

export class Output extends Context.Service<
  Output,
  {
    /** A line of the result. */
    readonly result: (line: string) => void
    /** A line for whoever watches. */
    readonly say: (line: string) => void
    /** Text for whoever watches, as it is. */
    readonly draw: (text: string) => void
    /** Present when what is said goes to a terminal that can be drawn on. */
    readonly terminal: Terminal | undefined
    /** Whether the result may have colors, and whether what is said may. */
    readonly colors: { readonly result: boolean; readonly said: boolean }
  }
>()("effect-durable/cli/Output") {}

/** The streams of this process. Whoever reads a pipe may stop to do so. */
export const layer: Layer.Layer<Output> = Layer.sync(Output, () => {
  const { env, stderr, stdout } = process
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0)
    throw error
  })
  const plain = (env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb"
  return {
    result: (line) => void stdout.write(`${line}\n`),
    say: (line) => void stderr.write(`${line}\n`),
    draw: (text) => void stderr.write(text),
    terminal:
      stderr.isTTY && env["TERM"] !== "dumb"
        ? { columns: () => stderr.columns || 80, rows: () => stderr.rows || 24 }
        : undefined,
    colors: { result: stdout.isTTY && !plain, said: stderr.isTTY && !plain }
  }
})
