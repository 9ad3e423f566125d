/**
 * What an operation is to the person who wrote it: the service knows a handful of types, the sub-type says which
 * operation of an SDK stands behind one. The service treats it as a label; consoles, histories and replay checks read it.
 * These are the labels that AWS's own SDKs write, so that executions look alike whatever wrote them.
 *
 * @since 0.1.0
 */

/**
 * The sub-types that SDKs write, by name.
 *
 * @since 0.1.0
 * @category models
 */
export const SubType = {
  Step: "Step",
  Wait: "Wait",
  Callback: "Callback",
  RunInChildContext: "RunInChildContext",
  Map: "Map",
  MapIteration: "MapIteration",
  Parallel: "Parallel",
  ParallelBranch: "ParallelBranch",
  WaitForCallback: "WaitForCallback",
  WaitForCondition: "WaitForCondition",
  ChainedInvoke: "ChainedInvoke"
} as const

/**
 * One of the sub-types above. A record may hold any other label of up to 32 letters, digits, `-` and `_`.
 *
 * @since 0.1.0
 * @category models
 */
export type SubType = (typeof SubType)[keyof typeof SubType]
