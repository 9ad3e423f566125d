/** A test engine with the tested workflow. */
export interface TestSubject {
  /** The work that a test suite does once. */
  readonly begin: () => Promise<void>
  /** Runs one test, and returns the result of its execution. */
  readonly test: () => Promise<number>
  readonly end: () => Promise<void>
}

export const steps = 10
/** A wait follows every second step. */
export const hasWait = (index: number): boolean => index % 2 === 1
