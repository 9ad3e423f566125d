/**
 * All examples by their names in `npm start`: the function to start, its payload, and its engines.
 */
import { type DurableFunction, DurableClient } from "effect-durable"
import { type Faults, TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Order from "../01-order.ts"
import { Orchestrate } from "../02-invoke-lambda/contracts.ts"
import { orchestrate } from "../02-invoke-lambda/orchestrate.ts"
import { processValues } from "../02-invoke-lambda/process-values.ts"
import * as Hierarchical from "../03-hierarchical.ts"
import * as Conditional from "../04-conditional.ts"
import * as Context from "../05-context.ts"
import * as FanOut from "../06-fan-out.ts"
import * as TimeOut from "../07-time-out.ts"
import * as Retry from "../08-retry.ts"
import * as Serdes from "../09-serdes.ts"
import * as Tenant from "../10-tenant.ts"
import * as Children from "../11-children.ts"
import * as MapReduce from "../12-map-reduce.ts"
import * as Approval from "../13-approval.ts"
import * as Saga from "../14-saga.ts"
import * as Polling from "../15-polling.ts"
import * as Batch from "../16-batch.ts"
import * as Agent from "../17-agent.ts"
import { Bank, chargeCard } from "../deployed/charge-card.ts"
import { PlaceOrder } from "../deployed/contracts.ts"
import { placeOrder } from "../deployed/place-order.ts"
import { local, type Engine } from "./local.ts"

export interface Example {
  readonly functionName: string
  readonly payload: unknown
  /** The local engine, with the example's functions in this process. */
  readonly local: (faults: Faults.Options) => Engine
  /** The test engine. */
  readonly memory: (options?: TestEngine.Options) => Layer.Layer<TestEngine.TestEngine | DurableClient.DurableClient>
}

/** An example whose functions require no services. */
const standalone = (
  { name }: DurableFunction.Any,
  payload: unknown,
  functions: ReadonlyArray<DurableFunction.AnyImplementation<never>>
): Example => ({
  functionName: name,
  payload,
  local: (faults) => local(functions, Layer.empty, faults),
  memory: (options) => TestEngine.layer(functions, options)
})

/** Ada's answers to callbacks, as the workflow reads them. */
const approval = DurableClient.callback({ success: Approval.Decision })
const answers = (callbackId: string) =>
  Effect.flatMap(Approval.decide({ callbackId }), (decision) => approval.succeed(callbackId, decision))

/** The answers of the person at the desk to the agent. */
const permission = DurableClient.callback({ success: Agent.Decision })
const permits = (callbackId: string) =>
  Effect.flatMap(Agent.decide({ callbackId }), (decision) => permission.succeed(callbackId, decision))

export const examples: Readonly<Record<string, Example>> = {
  order: {
    functionName: Order.ProcessOrder.name,
    payload: Order.order,
    local: (faults) => local(Order.functions, Order.Gateway.layerMemory, faults),
    memory: (options) => TestEngine.layer(Order.functions, options).pipe(Layer.provide(Order.Gateway.layerMemory))
  },
  "invoke-lambda": standalone(Orchestrate, { values: [10, 20, 30, 40, 50] }, [orchestrate, processValues]),
  hierarchical: standalone(Hierarchical.GrantLoan, Hierarchical.payload, Hierarchical.functions),
  conditional: standalone(Conditional.ProcessDocument, Conditional.payload, Conditional.functions),
  context: standalone(Context.Welcome, Context.payload, Context.functions),
  "fan-out": standalone(FanOut.Survey, FanOut.payload, FanOut.functions),
  "time-out": standalone(TimeOut.Price, TimeOut.payload, TimeOut.functions),
  retry: {
    functionName: Retry.BookSeat.name,
    payload: Retry.payload,
    local: (faults) => local(Retry.functions, Retry.Queue.layer, faults),
    memory: (options) => TestEngine.layer(Retry.functions, options).pipe(Layer.provide(Retry.Queue.layer))
  },
  serdes: standalone(Serdes.Inventory, Serdes.payload, Serdes.functions),
  tenant: {
    functionName: Tenant.BillTenant.name,
    payload: Tenant.payload,
    local: (faults) => local(Tenant.functions, Layer.empty, faults),
    memory: (options) => TestEngine.layer(Tenant.tested, options)
  },
  children: standalone(Children.PlanParty, Children.payload, Children.functions),
  "map-reduce": standalone(MapReduce.CountWords, MapReduce.payload, MapReduce.functions),
  approval: {
    functionName: Approval.Purchase.name,
    payload: Approval.payload,
    local: (faults) => local(Approval.functions, Approval.Mail.layerMemory, faults, answers),
    memory: (options) => TestEngine.layer(Approval.tested, options).pipe(Layer.provide(Approval.Mail.layerMemory))
  },
  saga: standalone(Saga.BookTrip, Saga.payload, Saga.functions),
  polling: {
    functionName: Polling.Transcode.name,
    payload: Polling.payload,
    local: (faults) => local(Polling.functions, Polling.Farm.layerMemory, faults),
    memory: (options) => TestEngine.layer(Polling.functions, options).pipe(Layer.provide(Polling.Farm.layerMemory))
  },
  batch: standalone(Batch.ImportItems, Batch.payload, Batch.functions),
  agent: {
    functionName: Agent.Support.name,
    payload: Agent.payload,
    local: (faults) => local(Agent.functions, Agent.layerMemory, faults, permits),
    memory: (options) => TestEngine.layer(Agent.tested, options).pipe(Layer.provide(Agent.layerMemory))
  },
  deployed: {
    functionName: PlaceOrder.name,
    payload: { orderId: "o-1", card: "4242", cents: 1_250 },
    local: (faults) => local([placeOrder, chargeCard], Bank.layer, faults),
    memory: (options) => TestEngine.layer([placeOrder, chargeCard], options).pipe(Layer.provide(Bank.layer))
  }
}
