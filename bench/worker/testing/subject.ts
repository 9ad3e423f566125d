/** A test engine with the workflow that is tested on it. */
export interface TestSubject {
  /** What a test suite does once. */
  readonly begin: () => Promise<void>
  /** Runs one test, and answers with the result of its execution. */
  readonly test: () => Promise<number>
  readonly end: () => Promise<void>
}

export const steps = 10
/** A wait comes after every other step. */
export const hasWait = (index: number): boolean => index % 2 === 1
