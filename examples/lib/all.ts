/**
 * Every example by the name that `npm start` knows it by: the function to start, with what, and on which engine.
 */
import type { CheckpointStore, DurableClient } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
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
import { Bank, chargeCard } from "../deployed/charge-card.ts"
import { PlaceOrder } from "../deployed/contracts.ts"
import { placeOrder } from "../deployed/place-order.ts"

export interface Example {
  readonly functionName: string
  readonly payload: unknown
  readonly engine: Layer.Layer<DurableClient.DurableClient | CheckpointStore.CheckpointStore>
}

export const examples: Readonly<Record<string, Example>> = {
  order: {
    functionName: Order.ProcessOrder.name,
    payload: Order.order,
    engine: TestEngine.layer(Order.functions).pipe(Layer.provide(Order.Gateway.layerMemory))
  },
  "invoke-lambda": {
    functionName: Orchestrate.name,
    payload: { values: [10, 20, 30, 40, 50] },
    engine: TestEngine.layer([orchestrate, processValues])
  },
  hierarchical: {
    functionName: Hierarchical.GrantLoan.name,
    payload: Hierarchical.payload,
    engine: TestEngine.layer(Hierarchical.functions)
  },
  conditional: {
    functionName: Conditional.ProcessDocument.name,
    payload: Conditional.payload,
    engine: TestEngine.layer(Conditional.functions)
  },
  context: {
    functionName: Context.Welcome.name,
    payload: Context.payload,
    engine: TestEngine.layer(Context.functions)
  },
  "fan-out": {
    functionName: FanOut.Survey.name,
    payload: FanOut.payload,
    engine: TestEngine.layer(FanOut.functions)
  },
  "time-out": {
    functionName: TimeOut.Price.name,
    payload: TimeOut.payload,
    engine: TestEngine.layer(TimeOut.functions)
  },
  retry: {
    functionName: Retry.BookSeat.name,
    payload: Retry.payload,
    engine: TestEngine.layer(Retry.functions).pipe(Layer.provide(Retry.Queue.layer))
  },
  serdes: {
    functionName: Serdes.Inventory.name,
    payload: Serdes.payload,
    engine: TestEngine.layer(Serdes.functions)
  },
  tenant: {
    functionName: Tenant.BillTenant.name,
    payload: Tenant.payload,
    engine: TestEngine.layer(Tenant.functions)
  },
  children: {
    functionName: Children.PlanParty.name,
    payload: Children.payload,
    engine: TestEngine.layer(Children.functions)
  },
  "map-reduce": {
    functionName: MapReduce.CountWords.name,
    payload: MapReduce.payload,
    engine: TestEngine.layer(MapReduce.functions)
  },
  approval: {
    functionName: Approval.Purchase.name,
    payload: Approval.payload,
    engine: TestEngine.layer(Approval.functions).pipe(Layer.provide(Approval.Mail.layerMemory))
  },
  saga: {
    functionName: Saga.BookTrip.name,
    payload: Saga.payload,
    engine: TestEngine.layer(Saga.functions)
  },
  polling: {
    functionName: Polling.Transcode.name,
    payload: Polling.payload,
    engine: TestEngine.layer(Polling.functions).pipe(Layer.provide(Polling.Farm.layerMemory))
  },
  batch: {
    functionName: Batch.ImportItems.name,
    payload: Batch.payload,
    engine: TestEngine.layer(Batch.functions)
  },
  deployed: {
    functionName: PlaceOrder.name,
    payload: { orderId: "o-1", card: "4242", cents: 1_250 },
    engine: TestEngine.layer([placeOrder, chargeCard]).pipe(Layer.provide(Bank.layer))
  }
}
