/**
 * Resolves the benchmarks' imports of the package and of Effect: to the built package, and to the Effect that it is
 * installed with.
 */
import { registerHooks } from "node:module"
import { join } from "node:path"
import { pathToFileURL } from "node:url"

const ofThePackage = /^(effect|effect-durable)(\/|$)/

/** Makes modules of this folder import what a module of the package in `folder` would import. */
export const resolveFrom = (folder: string): void => {
  const here = pathToFileURL(`${import.meta.dirname}/`).href
  const there = pathToFileURL(join(folder, "package.json")).href
  registerHooks({
    resolve: (specifier, context, next) =>
      ofThePackage.test(specifier) && context.parentURL?.startsWith(here)
        ? next(specifier, { ...context, parentURL: there })
        : next(specifier, context)
  })
}
