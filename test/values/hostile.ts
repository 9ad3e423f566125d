/** What throws when it is looked at. */
export const hostile = (): ReadonlyArray<unknown> => {
  const refuse = (): never => {
    throw new Error("gotcha")
  }
  return [
    new Proxy({}, { get: refuse, getPrototypeOf: refuse, ownKeys: refuse }),
    Object.defineProperty(new Error("x"), "stack", { get: refuse }),
    Object.defineProperty(new Error("x"), "message", { get: refuse }),
    Object.defineProperty(new Error("x"), "name", { get: refuse }),
    { toJSON: refuse, toString: refuse }
  ]
}
