/**
 * The service over HTTP. It runs in the process of the benchmarks, so that its work is not counted. It stores nothing:
 * it answers every checkpoint with the operations that the checkpoint changes.
 */
import { createServer, type IncomingMessage } from "node:http"
import { text } from "node:stream/consumers"

export interface Service {
  /** The environment variables with which AWS's clients find it. */
  readonly environment: Readonly<Record<string, string>>
  readonly requests: () => number
  readonly close: () => Promise<void>
}

export const startService = async (): Promise<Service> => {
  let requests = 0
  const server = createServer((incoming, outgoing) => {
    requests++
    void answer(incoming).then((body) => outgoing.writeHead(200, { "content-type": "application/json" }).end(body))
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  if (typeof address !== "object" || address === null) throw new Error("Expected a server that listens on a port.")
  const { port } = address
  return {
    environment: {
      AWS_ENDPOINT_URL_LAMBDA: `http://127.0.0.1:${port}`,
      AWS_REGION: "eu-west-1",
      AWS_ACCESS_KEY_ID: "AKIDBENCHMARK",
      AWS_SECRET_ACCESS_KEY: "the-secret-of-the-benchmark",
      AWS_SESSION_TOKEN: "the-session-of-the-benchmark"
    },
    requests: () => requests,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}

interface Update {
  readonly Id: string
  readonly Type: string
  readonly Action: string
  readonly Payload?: string
}

const answer = async (incoming: IncomingMessage): Promise<string> => {
  const body = await text(incoming)
  if (incoming.method === "GET") return JSON.stringify({ Operations: [] })
  const { Updates = [] }: { readonly Updates?: ReadonlyArray<Update> } = JSON.parse(body)
  const operations = new Map(Updates.map((update) => [update.Id, operationOf(update)]))
  return JSON.stringify({ CheckpointToken: "bmV4dA==", NewExecutionState: { Operations: [...operations.values()] } })
}

const operationOf = ({ Action, Id, Payload, Type }: Update) => ({
  Id,
  Type,
  StartTimestamp: 1_767_225_600,
  ...(Action === "START"
    ? { Status: "STARTED" }
    : { Status: "SUCCEEDED", EndTimestamp: 1_767_225_601, StepDetails: { Attempt: 1, Result: Payload } })
})
