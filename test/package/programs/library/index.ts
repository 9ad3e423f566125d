/** The library as others import it. */
export * from "./contracts.ts"
export * from "./errors.ts"
export * as Helpers from "./helpers.ts"
export * from "./implementations.ts"
export * as Outside from "./outside.ts"
