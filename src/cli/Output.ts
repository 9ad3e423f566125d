/**
 * The output of a command: its result goes to the standard output, and all other text to the standard error, so that a
 * result can be piped.
 *
 * Owns: the two streams, and whether there is a terminal with colors.
 * Does not own: the text.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import process from "node:process"

/** A terminal whose progress output can be redrawn. */
export interface Terminal {
  readonly columns: () => number
  readonly rows: () => number
}

export class Output extends Context.Service<
  Output,
  {
    /** Writes a line of the result. */
    readonly result: (line: string) => void
    /** Writes a line of progress for people. */
    readonly say: (line: string) => void
    /** Writes unchanged text of progress for people. */
    readonly draw: (text: string) => void
    /** The terminal, if progress goes to one that can be redrawn. */
    readonly terminal: Terminal | undefined
    /** Whether the result may have colors, and whether progress may. */
    readonly colors: { readonly result: boolean; readonly said: boolean }
  }
>()("effect-durable/cli/Output") {}

/** The streams of this process. The reader of a pipe may stop reading. */
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
