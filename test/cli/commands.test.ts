/** What the commands do with executions of an engine on this machine, and what they print of it. */
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction, Serdes } from "effect-durable"
import { LocalEngine } from "effect-durable/local"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { folder } from "../local/support.ts"
import { command, commandOn, engine, type Ran } from "./support.ts"

/** Commands that talk to an engine. */
const connected = Effect.map(
  engine(),
  ({ url }) =>
    (...args: ReadonlyArray<string>) =>
      command(...args, "--endpoint", url)
)

/** Commands that talk to an engine with these functions. */
const serving = (functions: LocalEngine.FunctionSource) =>
  Effect.map(
    engine({ functions: [functions] }),
    ({ url }) =>
      (...args: ReadonlyArray<string>) =>
        command(...args, "--endpoint", url)
  )

/** Says a command again until it succeeds and prints a text, for what happens beside the command before it. */
const eventually = (attempt: Effect.Effect<Ran>, text = ""): Effect.Effect<Ran> =>
  Effect.flatMap(attempt, (ran) =>
    ran.code === 0 && ran.out.includes(text)
      ? Effect.succeed(ran)
      : Effect.andThen(Effect.yieldNow, eventually(attempt, text))
  )

/** Text that is written and read without quotes and escapes. */
const asItIs = Serdes.make<string>({ serialize: (text) => text, deserialize: (text = "") => text })

const tea = ["--payload", '{"item":"tea"}']
const poison = ["--payload", '{"item":"poison"}']

describe("invoke", () => {
  it.live("prints the result of an execution, and nothing else, to the standard output", () =>
    Effect.gen(function* () {
      const run = yield* connected
      const ran = yield* run("invoke", "order", ...tea)
      assert.deepStrictEqual([ran.code, ran.out], [0, '"sold tea"\n'])
      assert.match(ran.err, /^order-[0-9a-f]{8} has started\.\n$/)
    }).pipe(Effect.scoped)
  )

  it.live("takes a file with the mark of its encoding", () =>
    Effect.gen(function* () {
      const run = yield* connected
      const file = join(yield* folder, "tea.json")
      writeFileSync(file, '\uFEFF{"item":"tea"}\r\n')
      assert.strictEqual((yield* run("invoke", "order", "--payload", `@${file}`)).out, '"sold tea"\n')
    }).pipe(Effect.scoped)
  )

  it.live("exits with 1 when the execution failed, and says how", () =>
    Effect.gen(function* () {
      const run = yield* connected
      const ran = yield* run("invoke", "order", ...poison, "--name", "bad-1")
      assert.deepStrictEqual([ran.code, ran.out], [1, ""])
      assert.include(ran.err, "bad-1 ended as FAILED: Declined")
    }).pipe(Effect.scoped)
  )

  it.live("prints what the API says of the execution with --json, also when it failed", () =>
    Effect.gen(function* () {
      const run = yield* connected
      const ran = yield* run("invoke", "order", ...poison, "--json")
      const execution = JSON.parse(ran.out)
      assert.strictEqual(ran.code, 1)
      assert.strictEqual(execution.Status, "FAILED")
      assert.strictEqual(execution.Error.ErrorType, "Declined")
    }).pipe(Effect.scoped)
  )

  it.live("starts one execution by one name", () =>
    Effect.gen(function* () {
      const run = yield* connected
      yield* run("invoke", "order", ...tea, "--name", "order-1")
      const again = yield* run("invoke", "order", ...tea, "--name", "order-1")
      assert.deepStrictEqual(again, { code: 0, out: '"sold tea"\n', err: "order-1 has ended.\n" })
      const listed = JSON.parse((yield* run("ls", "--json")).out)
      assert.lengthOf(listed.DurableExecutions, 1)
      const other = yield* run("invoke", "order", ...poison, "--name", "order-1")
      assert.strictEqual(other.code, 1)
      assert.include(other.err, "order-1")
    }).pipe(Effect.scoped)
  )

  it.live("shows each event as a line with --follow, where there is no terminal", () =>
    Effect.gen(function* () {
      const run = yield* connected
      const ran = yield* run("invoke", "parent", "--follow")
      assert.deepStrictEqual([ran.code, ran.out], [0, '"sold tea"\n'])
      const types = Array.from(ran.err.matchAll(/^\d\d:\d\d:\d\d {2}(\w+)/gm), ([, type]) => type)
      assert.deepStrictEqual(
        types.filter((type) => type !== "InvocationCompleted"),
        ["ExecutionStarted", "ChainedInvokeStarted", "ChainedInvokeSucceeded", "ExecutionSucceeded"]
      )
    }).pipe(Effect.scoped)
  )

  it.live("draws the tree anew with --follow on a terminal", () =>
    Effect.gen(function* () {
      const { url } = yield* engine()
      const ran = yield* commandOn({ isTerminal: true }, "invoke", "parent", "--follow", "--endpoint", url)
      assert.deepStrictEqual([ran.code, ran.out], [0, '"sold tea"\n'])
      const last = ran.err.slice(ran.err.lastIndexOf("\u001B[0J") + "\u001B[0J".length)
      const lines = last.trimEnd().split("\n")
      assert.deepStrictEqual(
        lines.slice(0, -1).map((line) => line.replace(/ +(execution|invoke|step) .*$/, " $1")),
        ["parent execution", "└─ order invoke", "   └─ order execution", "      └─ charge step"]
      )
      assert.match(lines.at(-1) ?? "", /^SUCCEEDED after .*, 1 of 1 operations ended$/)
    }).pipe(Effect.scoped)
  )

  it.live("prints the ARN with --event, and does not wait", () =>
    Effect.gen(function* () {
      const run = yield* connected
      const ran = yield* run("invoke", "nap", "--event", "--name", "nap-1")
      assert.strictEqual(ran.code, 0)
      assert.match(ran.out, /^arn:aws:lambda:\S+:function:nap:\$LATEST\/durable-execution\/nap-1\/\S+\n$/)
      const shown = yield* run("show", "nap-1", "--json")
      assert.strictEqual(JSON.parse(shown.out).execution.status, "RUNNING")
    }).pipe(Effect.scoped)
  )

  it.live("leaves the execution as it is when it is interrupted, and says so", () =>
    Effect.gen(function* () {
      const { url } = yield* engine()
      const started = yield* Deferred.make<void>()
      let said = ""
      const onSaid = (text: string): void => {
        said += text
        if (text.includes("has started")) Deferred.doneUnsafe(started, Effect.void)
      }
      const waiting = yield* Effect.forkChild(
        commandOn({ onSaid }, "invoke", "nap", "--name", "nap-1", "--endpoint", url)
      )
      yield* Deferred.await(started)
      yield* Fiber.interrupt(waiting)
      assert.include(said, `nap-1 continues. See: npx effect-durable show nap-1 --endpoint ${url}`)
      assert.include((yield* command("ls", "nap", "--endpoint", url)).out, "RUNNING")
    }).pipe(Effect.scoped)
  )

  it.live("waits for no time on an engine that leaps over it", () =>
    Effect.gen(function* () {
      const { url } = yield* engine({ skipTime: true })
      const ran = yield* command("invoke", "nap", "--follow", "--endpoint", url)
      assert.deepStrictEqual([ran.code, ran.out], [0, '"rested"\n'])
    }).pipe(Effect.scoped)
  )

  it.live("refuses what it cannot send", () =>
    Effect.gen(function* () {
      const run = yield* connected
      const refused: ReadonlyArray<readonly [args: ReadonlyArray<string>, code: number, says: string]> = [
        [["order", "--payload", "tea"], 2, "--payload takes JSON"],
        [["order", "--payload", "@nowhere.json"], 2, "@nowhere.json cannot be read"],
        [["order", "--name", "a b"], 2, `"a b" is not a name`],
        [["a b"], 2, `"a b" is neither the name nor the ARN of a function`],
        [["order", "--event", "--follow"], 2, "give one of them"],
        [["nothing"], 1, "nothing"],
        [["hello"], 1, "hello"]
      ]
      for (const [args, code, says] of refused) {
        const ran = yield* run("invoke", ...args)
        assert.deepStrictEqual([ran.code, ran.out], [code, ""], args.join(" "))
        assert.include(ran.err, says)
      }
    }).pipe(Effect.scoped)
  )
})

describe("ls", () => {
  it.live("lists the executions of all functions, the newest first", () =>
    Effect.gen(function* () {
      const run = yield* connected
      yield* run("invoke", "order", ...tea, "--name", "order-1")
      yield* run("invoke", "nap", "--event", "--name", "nap-1")
      yield* run("invoke", "order", ...poison, "--name", "order-2")
      const rows = (yield* run("ls")).out
        .trim()
        .split("\n")
        .map((line) => line.split(/ {2,}/).slice(0, 3))
      assert.deepStrictEqual(rows, [
        ["NAME", "FUNCTION", "STATUS"],
        ["order-2", "order", "FAILED"],
        ["nap-1", "nap", "RUNNING"],
        ["order-1", "order", "SUCCEEDED"]
      ])
      assert.include((yield* run("ls", "order", "--status", "failed")).out, "order-2")
      assert.notInclude((yield* run("ls", "order", "--status", "failed,TIMED_OUT")).out, "order-1")
      const limited = JSON.parse((yield* run("ls", "--limit", "1", "--json")).out)
      assert.deepStrictEqual(
        limited.DurableExecutions.map((one: { readonly DurableExecutionName: string }) => one.DurableExecutionName),
        ["order-2"]
      )
    }).pipe(Effect.scoped)
  )

  it.live("says so when there are none, and prints nothing", () =>
    Effect.gen(function* () {
      const run = yield* connected
      assert.deepStrictEqual(yield* run("ls"), { code: 0, out: "", err: "There are no such executions.\n" })
      assert.deepStrictEqual(JSON.parse((yield* run("ls", "--json")).out), { DurableExecutions: [] })
    }).pipe(Effect.scoped)
  )
})

describe("show, history and export", () => {
  it.live("show the operations, and what an execution waits for", () =>
    Effect.gen(function* () {
      const run = yield* connected
      yield* run("invoke", "approve", "--event", "--name", "approve-1")
      yield* eventually(run("callback", "heartbeat", "approve-1"))
      const { out } = yield* run("show", "approve-1")
      assert.match(out, /^approve-1 of approve: RUNNING, started .* ago\narn:aws:\S+approve-1\S+\n\n/)
      assert.match(out, /└─ review +context +.*running\n {3}└─ approval +context +.*running\n/)
      assert.match(
        out,
        /Waits for the callback ".*": npx effect-durable callback succeed \S+ --result JSON --endpoint http:\/\/127\.0\.0\.1:\d+\n$/
      )
    }).pipe(Effect.scoped)
  )

  it.live("show and list times as of an engine that has leapt", () =>
    Effect.gen(function* () {
      const { url } = yield* engine({ skipTime: true })
      yield* command("invoke", "nap", "--endpoint", url)
      yield* command("invoke", "nap", "--event", "--name", "nap-1", "--endpoint", url)
      const { out } = yield* eventually(command("show", "nap-1", "--endpoint", url), "Waits in")
      assert.match(out, /^nap-1 of nap: RUNNING, started .*, [\d.]+m?s ago\n/)
      assert.match(out, /Waits in "a day" in (1d 0h|23h \d+m), at /)
      const row = (yield* command("ls", "--status", "RUNNING", "--endpoint", url)).out.split("\n")[1]
      assert.match(row ?? "", /^nap-1 .* [\d.]+m?s$/)
    }).pipe(Effect.scoped)
  )

  it.live("show payloads and errors", () =>
    Effect.gen(function* () {
      const run = yield* connected
      yield* run("invoke", "order", ...poison, "--name", "bad")
      yield* run("invoke", "order", ...tea, "--name", "good")
      assert.include((yield* run("show", "bad")).out, "failed  Declined")
      assert.notInclude((yield* run("show", "good")).out, "sold tea")
      assert.include((yield* run("show", "good", "--payloads")).out, 'of {"item":"tea"}  = "sold tea"')
    }).pipe(Effect.scoped)
  )

  it.live("print the events as the API has them", () =>
    Effect.gen(function* () {
      const run = yield* connected
      yield* run("invoke", "order", ...tea, "--name", "order-1")
      const { Events: events } = JSON.parse((yield* run("history", "order-1", "--json")).out)
      assert.isAbove(events.length, 3)
      assert.deepStrictEqual(
        events.map((event: { readonly EventId: number }) => event.EventId),
        events.map((_: unknown, index: number) => index + 1)
      )
      assert.strictEqual(typeof events[0].EventTimestamp, "number")
      const followed = (yield* run("history", "order-1", "--follow", "--json")).out.trim().split("\n")
      assert.deepStrictEqual(
        followed.map((line) => JSON.parse(line)),
        events
      )
      assert.lengthOf((yield* run("history", "order-1")).out.trim().split("\n"), events.length)
      const exported = JSON.parse((yield* run("export", "order-1")).out)
      assert.deepStrictEqual(exported.Events, events)
      assert.strictEqual(exported.Result, '"sold tea"')
    }).pipe(Effect.scoped)
  )
})

describe("What others wrote", () => {
  it.live("has nothing that a terminal obeys, in whatever command shows it", () =>
    Effect.gen(function* () {
      const words = "\u001B[2J\u001B]0;title\u0007 \u009B31m \u202E back\r\nline"
      class Rude extends Schema.TaggedError<Rude>()("Rude", { message: Schema.String }) {}
      const Talk = DurableFunction.make("talk", { error: Rude, successSerdes: asItIs, success: Schema.String })
      const talk = Talk.implement(() =>
        Durable.step("say", Effect.succeed(words), { success: Schema.String, successSerdes: asItIs }).pipe(
          Effect.andThen(Effect.fail(new Rude({ message: words })))
        )
      )
      const run = yield* serving(LocalEngine.inProcess([talk], { layer: Layer.empty }))
      for (const args of [
        ["invoke", "talk", "--name", "talk-1", "--follow"],
        ["show", "talk-1", "--payloads"],
        ["history", "talk-1"]
      ]) {
        const { err, out } = yield* run(...args)
        assert.include(`${out}${err}`, "\\u001b[2J", args.join(" "))
        // oxlint-disable-next-line no-control-regex
        assert.notMatch(`${out}${err}`, /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202E]/, args.join(" "))
      }
    }).pipe(Effect.scoped)
  )
})

describe("callback", () => {
  it.live("succeeds by the name of the execution, the path of the operation, or its end", () =>
    Effect.gen(function* () {
      const run = yield* connected
      for (const [number, operation] of ["", "/review/approval", "/approval"].entries()) {
        const name = `approve-${number}`
        yield* run("invoke", "approve", "--event", "--name", name)
        const { err } = yield* eventually(run("callback", "succeed", `${name}${operation}`, "--result", '"by Ada"'))
        assert.strictEqual(err, `${name}/review/approval has succeeded.\n`)
        assert.strictEqual((yield* run("invoke", "approve", "--name", name)).out, '"by Ada"\n')
      }
    }).pipe(Effect.scoped)
  )

  it.live("beats and succeeds by the id", () =>
    Effect.gen(function* () {
      const run = yield* connected
      yield* run("invoke", "approve", "--event", "--name", "approve-1")
      const beat = yield* eventually(run("callback", "heartbeat", "approve-1", "--json"))
      const { CallbackId: id } = JSON.parse(beat.out)
      assert.strictEqual((yield* run("callback", "succeed", id, "--result", '"by Ada"')).code, 0)
      assert.strictEqual((yield* run("invoke", "approve", "--name", "approve-1")).out, '"by Ada"\n')
    }).pipe(Effect.scoped)
  )

  it.live("fails with a text, or with an error of the API", () =>
    Effect.gen(function* () {
      const run = yield* connected
      for (const [number, error] of ["too dear", '{"ErrorType":"Rejected","ErrorMessage":"too dear"}'].entries()) {
        const name = `approve-${number}`
        yield* run("invoke", "approve", "--event", "--name", name)
        yield* eventually(run("callback", "fail", name, "--error", error))
        const ran = yield* run("invoke", "approve", "--name", name)
        assert.strictEqual(ran.code, 1)
        assert.include(ran.err, "too dear")
      }
    }).pipe(Effect.scoped)
  )

  it.live("succeeds by the whole path although others end alike, and by a name that has a slash", () =>
    Effect.gen(function* () {
      const ask = (name: string) => Durable.waitForCallback(name, () => Effect.void, { success: Schema.String })
      const Vote = DurableFunction.make("vote", { success: Schema.Array(Schema.String) })
      const asking = [ask("approval"), Durable.child("review", ask("approval")), ask("legal/approval")]
      const vote = Vote.implement(() => Effect.all(asking, { concurrency: "unbounded" }))
      const run = yield* serving(LocalEngine.inProcess([vote], { layer: Layer.empty }))
      yield* run("invoke", "vote", "--event", "--name", "vote-1")
      for (const path of ["legal/approval", "approval", "review/approval"]) {
        const { err } = yield* eventually(run("callback", "succeed", `vote-1/${path}`, "--result", `"${path}"`))
        assert.strictEqual(err, `vote-1/${path} has succeeded.\n`)
      }
      const { out } = yield* run("invoke", "vote", "--name", "vote-1")
      assert.deepStrictEqual(JSON.parse(out), ["approval", "review/approval", "legal/approval"])
    }).pipe(Effect.scoped)
  )

  it.live("says which callbacks are open when none fits", () =>
    Effect.gen(function* () {
      const run = yield* connected
      yield* run("invoke", "approve", "--event", "--name", "approve-1")
      yield* eventually(run("callback", "heartbeat", "approve-1"))
      const ran = yield* run("callback", "succeed", "approve-1/refusal")
      assert.strictEqual(ran.code, 1)
      assert.include(ran.err, `No open callback of approve-1 is called "refusal". These are open: review/approval.`)
    }).pipe(Effect.scoped)
  )

  it.live("refuses what it cannot send, and ids that nobody has", () =>
    Effect.gen(function* () {
      const run = yield* connected
      const unknown = yield* run("callback", "succeed", "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=")
      assert.strictEqual(unknown.code, 1)
      const error = yield* run("callback", "fail", "approve-1", "--error", '{"type":"Rejected"}')
      assert.strictEqual(error.code, 2)
      assert.include(error.err, "ErrorType")
      const result = yield* run("callback", "succeed", "approve-1", "--result", "yes")
      assert.strictEqual(result.code, 2)
      assert.include(result.err, `--result '"text"'`)
    }).pipe(Effect.scoped)
  )
})

describe("rerun, stop and time skip", () => {
  it.live("start an execution with the payload of another one", () =>
    Effect.gen(function* () {
      const run = yield* connected
      yield* run("invoke", "order", ...tea, "--name", "order-1")
      const ran = yield* run("rerun", "order-1", "--name", "order-2")
      assert.deepStrictEqual([ran.code, ran.out], [0, '"sold tea"\n'])
      const { InputPayload } = JSON.parse((yield* run("export", "order-2", "--json")).out)
      assert.strictEqual(InputPayload, '{"item":"tea"}')
    }).pipe(Effect.scoped)
  )

  it.live("stop an execution for good", () =>
    Effect.gen(function* () {
      const run = yield* connected
      yield* run("invoke", "nap", "--event", "--name", "nap-1")
      const stopped = yield* run("stop", "nap-1", "--error", "not today", "--json")
      assert.strictEqual(typeof JSON.parse(stopped.out).StopTimestamp, "number")
      const ran = yield* run("invoke", "nap", "--name", "nap-1")
      assert.strictEqual(ran.code, 1)
      assert.include(ran.err, "nap-1 ended as STOPPED: not today")
    }).pipe(Effect.scoped)
  )

  it.live("end what an execution waits for", () =>
    Effect.gen(function* () {
      const run = yield* connected
      yield* run("invoke", "nap", "--event", "--name", "nap-1")
      const { err } = yield* eventually(run("time", "skip", "nap-1"))
      assert.strictEqual(err, `nap-1 continues after "a day".\n`)
      assert.strictEqual((yield* run("invoke", "nap", "--name", "nap-1")).out, '"rested"\n')
      yield* run("invoke", "nap", "--event", "--name", "nap-2")
      yield* eventually(run("time", "skip", "--all"))
      assert.strictEqual((yield* run("invoke", "nap", "--name", "nap-2")).out, '"rested"\n')
      const nothing = yield* run("time", "skip", "--all")
      assert.deepStrictEqual([nothing.code, nothing.err], [1, "No execution waits for time to pass.\n"])
      assert.strictEqual((yield* run("time", "skip", "nap-2")).code, 1)
      assert.strictEqual((yield* run("time", "skip")).code, 2)
    }).pipe(Effect.scoped)
  )
})

describe("every command", () => {
  it.live("says what to do when nobody answers", () =>
    Effect.gen(function* () {
      for (const args of [["ls"], ["ls", "order"], ["show", "a"], ["invoke", "order"], ["time", "skip", "--all"]]) {
        const ran = yield* command(...args, "--endpoint", "http://127.0.0.1:9")
        assert.deepStrictEqual([ran.code, ran.out], [1, ""], args.join(" "))
        assert.include(
          ran.err,
          "No engine answers at http://127.0.0.1:9. Start an engine with: npx effect-durable dev FILE."
        )
      }
    })
  )

  it.live("says what is wrong with how it was called, and exits with 2", () =>
    Effect.gen(function* () {
      const wrong: ReadonlyArray<readonly [args: ReadonlyArray<string>, says: string]> = [
        [["invok"], "invok"],
        [["invoke"], "FUNCTION"],
        [["show", "a", "b"], "b"],
        [["ls", "--colour"], "--colour"],
        [["ls", "--status", "BROKEN"], `"BROKEN" is not a status`],
        [["ls", "--limit", "0"], "--limit takes 1 or more"],
        [["ls", "--endpoint", "nowhere"], `"nowhere" is not an address`],
        [["ls", "--aws", "--endpoint", "http://127.0.0.1:9177"], "give one of them"],
        [["ls", "--aws"], "lists executions by function only"],
        [["show", "order-1", "--aws"], "add --function NAME"],
        [["show", "no name"], "neither the ARN of an execution nor a name of one"],
        [["time", "skip", "order-1", "--aws"], "Time cannot be skipped at AWS"]
      ]
      for (const [args, says] of wrong) {
        const ran = yield* command(...args)
        assert.deepStrictEqual([ran.code, ran.out], [2, ""], args.join(" "))
        assert.include(ran.err, says)
      }
    })
  )

  it.live("prints its help to the standard output when it is asked", () =>
    Effect.gen(function* () {
      const { code, err, out } = yield* command("callback", "succeed", "--help")
      assert.deepStrictEqual([code, err], [0, ""])
      assert.include(out, "--result")
      const implicit = yield* command()
      assert.deepStrictEqual([implicit.code, implicit.out], [2, ""])
      assert.include(implicit.err, "invoke")
    })
  )

  it.live.each(["bash", "zsh", "fish", "powershell"])("has completions for %s", (shell) =>
    Effect.gen(function* () {
      const { code, out } = yield* command("--completions", shell)
      assert.strictEqual(code, 0)
      assert.include(out, "heartbeat")
    })
  )
})
