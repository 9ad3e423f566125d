/**
 * The user-visible kind of an operation: the service has a handful of types, and the sub-type names the operation of an SDK.
 * The service treats it as a label; consoles, histories and replay checks read it. The labels are those that AWS's own SDKs
 * write, so that executions look alike whichever SDK wrote them.
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
