/**
 * What fibers hand to each other: the outcomes of two or more operations compete for who is first, the one that was asked
 * for later comes earlier, and the execution is suspended in between.
 */
import { describe } from "@effect/vitest"
import type { Durable } from "effect-durable"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Ref from "effect/Ref"
import * as Request from "effect/Request"
import * as RequestResolver from "effect/RequestResolver"
import * as Semaphore from "effect/Semaphore"
import { hours, survives, together } from "./survives.ts"

describe("what fibers hand to each other", () => {
  survives("Queue: each item is taken once, in the order of arrival", {
    program: (kit) =>
      Effect.gen(function* () {
        const letterbox = yield* Queue.unbounded<string>()
        yield* Effect.forkChild(Effect.andThen(hours("the ship sails", 10), Queue.offer(letterbox, "from overseas")))
        yield* Effect.forkChild(
          kit
            .step("sort the mail", { takes: "5 seconds" })
            .pipe(
              Effect.andThen(hours("the postman walks", 2)),
              Effect.andThen(Queue.offer(letterbox, "from next door"))
            )
        )
        const first = yield* Queue.take(letterbox)
        yield* kit.step(`read the one ${first}`)
        const second = yield* Queue.take(letterbox)
        yield* kit.step(`read the one ${second}`)
        return [first, second]
      }),
    ends: ["from next door", "from overseas"],
    log: ["sort the mail", "read the one from next door", "read the one from overseas"],
    hours: 10
  })

  survives("Queue: producers that wait for a full queue keep their order", {
    program: (kit) =>
      Effect.gen(function* () {
        const belt = yield* Queue.bounded<string>(1)
        const supplier = (name: string, count: number) =>
          Effect.andThen(hours(name, count), Queue.offerAll(belt, [`${name} 1`, `${name} 2`]))
        yield* Effect.forkChild(supplier("late", 3))
        yield* Effect.forkChild(supplier("early", 1))
        for (let box = 1; box <= 4; box++) {
          const content = yield* Queue.take(belt)
          yield* kit.step(`pack ${content}`)
          yield* hours("cool down", 5)
        }
        return yield* Queue.size(belt)
      }),
    ends: 0,
    log: ["pack early 1", "pack early 2", "pack late 1", "pack late 2"],
    hours: 21
  })

  survives("Queue: two takers get one item each, the one that asked first gets the first", {
    program: (kit) =>
      Effect.gen(function* () {
        const jobs = yield* Queue.unbounded<string>()
        const worker = (name: string, free: number) =>
          Effect.gen(function* () {
            yield* hours(`${name} is free`, free)
            const job = yield* Queue.take(jobs)
            return yield* kit.step(`${name} does ${job}`)
          })
        const workers = yield* Effect.forEach([worker("ann", 3), worker("bob", 1)], (one) => Effect.forkChild(one))
        yield* hours("a job", 5)
        yield* Queue.offer(jobs, "cutting")
        yield* hours("another job", 2)
        yield* Queue.offer(jobs, "sewing")
        return yield* Fiber.joinAll(workers)
      }),
    ends: ["ann does sewing", "bob does cutting"],
    log: ["bob does cutting", "ann does sewing"],
    hours: 7
  })

  survives("Deferred: the first completion counts, and the second one returns false", {
    program: (kit) =>
      Effect.gen(function* () {
        const answer = yield* Deferred.make<string>()
        const ask = (whom: string, count: number) => Effect.andThen(hours(whom, count), Deferred.succeed(answer, whom))
        const slow = yield* Effect.forkChild(ask("the head office", 6))
        const quick = yield* Effect.forkChild(ask("the branch", 1))
        const from = yield* Deferred.await(answer)
        yield* kit.step(`act on ${from}`)
        return [from, yield* Fiber.join(slow), yield* Fiber.join(quick)]
      }),
    ends: ["the branch", false, true],
    log: ["act on the branch"],
    hours: 6
  })

  survives("PubSub: every subscriber gets the same messages in the same order", {
    program: (kit) =>
      Effect.gen(function* () {
        const news = yield* PubSub.unbounded<string>()
        const reader = Effect.fnUntraced(function* (name: string, subscription: PubSub.Subscription<string>) {
          const first = yield* PubSub.take(subscription)
          yield* kit.step(`${name} reads of ${first}`)
          const second = yield* PubSub.take(subscription)
          yield* kit.step(`${name} reads of ${second}`)
          return [first, second]
        })
        const one = yield* Effect.forkChild(reader("one", yield* PubSub.subscribe(news)))
        const two = yield* Effect.forkChild(reader("two", yield* PubSub.subscribe(news)))
        yield* Effect.forkChild(Effect.andThen(hours("by tram", 6), PubSub.publish(news, "the tram")))
        yield* Effect.forkChild(Effect.andThen(hours("by bus", 2), PubSub.publish(news, "the bus")))
        return yield* Fiber.joinAll([one, two])
      }).pipe(Effect.scoped),
    ends: [
      ["the bus", "the tram"],
      ["the bus", "the tram"]
    ],
    log: ["one reads of the bus", "two reads of the bus", "one reads of the tram", "two reads of the tram"],
    hours: 6
  })

  survives("Latch: an open latch lets fibers pass, and a closed one makes them wait", {
    program: (kit) =>
      Effect.gen(function* () {
        const gate = yield* Latch.make()
        const visitor = (name: string, comes: number) =>
          Effect.gen(function* () {
            yield* hours(`${name} travels`, comes)
            yield* gate.await
            yield* kit.time(`${name} goes in`)
            return yield* kit.step(`${name} goes in`)
          })
        const visitors = yield* Effect.forEach([visitor("late", 5), visitor("early", 1)], (one) =>
          Effect.forkChild(one)
        )
        yield* hours("open", 3)
        yield* gate.open
        yield* hours("close", 1)
        yield* gate.close
        yield* hours("open again", 4)
        yield* gate.open
        return yield* Fiber.joinAll(visitors)
      }),
    ends: ["late goes in", "early goes in"],
    log: ["early goes in", "late goes in"],
    hours: 8
  })

  survives("Semaphore: one fiber holds the permit at a time, in the order of arrival", {
    program: (kit) =>
      Effect.gen(function* () {
        const chair = yield* Semaphore.make(1)
        const patient = (name: string, drives: number) =>
          Effect.andThen(
            hours(`${name} drives`, drives),
            chair.withPermits(1)(
              Effect.gen(function* () {
                yield* kit.step(`${name} sits down`)
                yield* kit.time(`${name} sits`)
                yield* hours(`${name} is treated`, 10)
                yield* kit.step(`${name} gets up`)
              })
            )
          )
        yield* Effect.all([patient("Mrs Lang", 5), patient("Mr Kurz", 1)], together)
        return "nobody is left"
      }),
    ends: "nobody is left",
    log: ["Mr Kurz sits down", "Mr Kurz gets up", "Mrs Lang sits down", "Mrs Lang gets up"],
    hours: 21
  })

  survives("Semaphore: who is behind steps of different lengths takes the permit when its own step is done", {
    program: (kit) =>
      Effect.gen(function* () {
        const till = yield* Semaphore.make(1)
        const customer = (name: string, seconds: number) =>
          Effect.andThen(
            kit.step(`${name} chooses`, { takes: `${seconds} seconds` }),
            till.withPermits(1)(Effect.andThen(hours(`${name} is served`, 1), kit.step(`${name} pays`)))
          )
        return yield* Effect.all([customer("ann", 30), customer("bob", 20), customer("eve", 10)], together)
      }),
    ends: ["ann pays", "bob pays", "eve pays"],
    log: ["ann chooses", "bob chooses", "eve chooses", "eve pays", "bob pays", "ann pays"],
    hours: 3
  })

  survives("Ref: updates happen in the order of the outcomes that cause them", {
    program: (kit) =>
      Effect.gen(function* () {
        const account = yield* Ref.make(100)
        const fee = Effect.andThen(
          hours("the fee is due", 10),
          Ref.update(account, (amount) => amount - 50)
        )
        const interest = Effect.andThen(
          hours("the interest is due", 2),
          Ref.update(account, (amount) => amount * 2)
        )
        const clerks = yield* Effect.forEach([fee, interest], (one) => Effect.forkChild(one))
        yield* hours("first statement", 5)
        yield* kit.step(`state ${yield* Ref.get(account)}`)
        yield* Fiber.joinAll(clerks)
        yield* kit.step(`state ${yield* Ref.get(account)} in the end`)
        return yield* Ref.get(account)
      }),
    ends: 150,
    log: ["state 200", "state 150 in the end"],
    hours: 10
  })

  survives("cached: the first fiber computes the value, and the others share it", {
    program: (kit) =>
      Effect.gen(function* () {
        const quote = yield* Effect.cached(
          Effect.gen(function* () {
            yield* kit.time("the quote is asked for")
            yield* kit.step("ask for a quote")
            yield* hours("the quote is made", 1)
            return yield* kit.chance("the quote")
          })
        )
        const buyer = (name: string, count: number) =>
          Effect.gen(function* () {
            yield* hours(`${name} thinks`, count)
            const price = yield* quote
            yield* kit.step(`${name} buys`)
            return price
          })
        const [late, early] = yield* Effect.all([buyer("late", 6), buyer("early", 2)], together)
        return late === early
      }),
    ends: true,
    log: ["ask for a quote", "early buys", "late buys"],
    hours: 6
  })

  survives("cachedWithTTL: a value is computed again when its time to live is over", {
    program: (kit) =>
      Effect.gen(function* () {
        const rate = yield* Effect.cachedWithTTL(
          Effect.andThen(kit.step("look up the rate"), hours("wire", 1)),
          "5 hours"
        )
        const teller = (name: string, count: number) =>
          Effect.andThen(hours(`${name} comes`, count), Effect.andThen(rate, kit.step(`${name} changes money`)))
        return yield* Effect.all([teller("last", 20), teller("second", 5), teller("first", 2)], together)
      }),
    ends: ["last changes money", "second changes money", "first changes money"],
    log: ["look up the rate", "first changes money", "second changes money", "look up the rate", "last changes money"],
    hours: 21
  })

  survives("RequestResolver: requests of the same time are resolved in one batch, in their order", {
    program: (kit) =>
      Effect.gen(function* () {
        const fetches = yield* Ref.make(0)
        class Price extends Request.Class<{ readonly of: string }, string, never, Durable.Execution> {}
        const resolver = RequestResolver.make<Price>((entries) =>
          Effect.gen(function* () {
            const [first] = entries
            const wanted = entries.map(({ request }) => request.of).join(" and ")
            const number = yield* Ref.updateAndGet(fetches, (n) => n + 1)
            yield* kit.step(`fetch ${number}: ${wanted}`).pipe(Effect.provideContext(first.context))
            for (const entry of entries) yield* Request.succeed(entry, `price of ${entry.request.of}`)
          })
        )
        const price = (of: string) => Effect.request(new Price({ of }), resolver)
        return yield* Effect.all(
          [
            Effect.andThen(hours("rice", 5), price("rice")),
            Effect.andThen(hours("tea time", 1), Effect.all([price("tea"), price("milk")], together))
          ],
          together
        )
      }),
    ends: ["price of rice", ["price of tea", "price of milk"]],
    log: ["fetch 1: tea and milk", "fetch 2: rice"],
    hours: 5
  })
})
