/** The event of an invocation whose client comes with it. */

/** The two calls of an invocation. */
export interface Client {
  readonly checkpoint: (params: Params) => Promise<Reply>
  readonly getExecutionState: (params: Params) => Promise<Reply>
}

/** Whatever the handler sends; what a driver looks at is named. */
export interface Params {
  readonly DurableExecutionArn: string
  readonly CheckpointToken: string
  readonly Updates?: ReadonlyArray<Readonly<Record<string, unknown>>>
}

export interface Reply {
  readonly CheckpointToken?: string | undefined
  readonly Operations?: ReadonlyArray<unknown> | undefined
  readonly NewExecutionState?: { readonly Operations?: ReadonlyArray<unknown> | undefined } | undefined
}

export interface State {
  readonly Operations: ReadonlyArray<unknown>
  readonly NextMarker: string
}

/** AWS's SDK knows an event with a client by the name of its class, so this one has that name. */
export class DurableExecutionInvocationInputWithClient {
  readonly durableExecutionClient: Client
  readonly DurableExecutionArn: string
  readonly CheckpointToken: string
  readonly InitialExecutionState: State

  constructor(durableExecutionArn: string, checkpointToken: string, state: State, client: Client) {
    this.durableExecutionClient = client
    this.DurableExecutionArn = durableExecutionArn
    this.CheckpointToken = checkpointToken
    this.InitialExecutionState = state
  }

  get [Symbol.toStringTag](): string {
    return "DurableExecutionInvocationInputWithClient"
  }
}
