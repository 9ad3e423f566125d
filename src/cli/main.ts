#!/usr/bin/env node
/**
 * The program `effect-durable`. Until it knows the version of Node it uses only features that every version has. It loads
 * the commands only when one is called, so that `--version` answers at once.
 *
 * Owns: the requirements for loading a command.
 * Does not own: commands, and how they end.
 *
 * @since 0.1.0
 */
import process from "node:process"
import { version } from "../internal/version.ts"

/** The oldest Node that runs the local engine. A test keeps it equal to the one in package.json. */
const oldest = "22.19"

const isTooOld = (found: string): boolean => {
  const [major = 0, minor = 0] = found.split(".").map(Number)
  const [oldestMajor = 0, oldestMinor = 0] = oldest.split(".").map(Number)
  return major < oldestMajor || (major === oldestMajor && minor < oldestMinor)
}

const refuse = (message: string): void => {
  process.stderr.write(`${message}\n`)
  process.exitCode = 1
}

/** Returns whether a package cannot be found, as opposed to an error inside of a package. */
const isMissing = (error: unknown, name: string): boolean =>
  error instanceof Error && Reflect.get(error, "code") === "ERR_MODULE_NOT_FOUND" && error.message.includes(`'${name}'`)

const start = async (args: ReadonlyArray<string>): Promise<void> => {
  try {
    const { main } = await import("./Program.ts")
    main(args)
  } catch (error) {
    if (!isMissing(error, "effect")) throw error
    refuse("effect-durable needs the package effect, which is not installed: npm i effect")
  }
}

const args = process.argv.slice(2)
if (isTooOld(process.versions.node)) {
  refuse(
    `effect-durable needs Node ${oldest} or later, and this is Node ${process.versions.node}: install a newer one from https://nodejs.org.`
  )
} else if (args.length === 1 && (args[0] === "--version" || args[0] === "-v")) process.stdout.write(`${version}\n`)
else void start(args)
