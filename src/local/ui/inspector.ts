/**
 * The details of one operation, or of the execution itself.
 *
 * Owns: the details of each kind, and the actions on a callback.
 * Does not own: the layout of values, and the effect of an action.
 *
 * @since 0.1.0
 */
import * as Timeline from "../../view/Timeline.ts"
import { html, type Html, type Part } from "./Html.ts"
import { signOf } from "./icons.ts"
import * as links from "./links.ts"
import { errorBlock, errorLine, payloadBlock } from "./payload.ts"
import { nameIn, type Snapshot } from "./Snapshot.ts"
import * as words from "./words.ts"

/** Returns the inspector of an operation, or of the execution if there is none. */
export const inspector = (snapshot: Snapshot, row: Timeline.Row | undefined, parameters: links.Parameters): Html =>
  html`<aside class="inspector${row !== undefined && " chosen"}" id="inspector" tabindex="-1" aria-label="Details">
    ${row === undefined ? ofExecution(snapshot) : ofRow(snapshot, row, parameters)}
  </aside>`

type Fact = readonly [term: string, value: Part] | undefined

const facts = (...all: ReadonlyArray<Fact>): Html =>
  html`<dl class="facts">
    ${all.map(
      (fact) =>
        fact !== undefined &&
        html`<div>
          <dt>${fact[0]}</dt>
          <dd>${fact[1]}</dd>
        </div>`
    )}
  </dl>`

const copyable = (text: string, what: string): Html =>
  html`<code class="id">${text}</code>
    <button type="button" class="copy" data-copy="${text}">Copy<span class="sr"> ${what}</span></button>`

// --- The execution -------------------------------------------------------------------------------------------------------

const ofExecution = (snapshot: Snapshot): Html => {
  const { now, timeline } = snapshot
  const { execution, invocations } = timeline
  const suspended = timeline.suspensions.reduce(
    (sum, { end, start }) => sum + ((end ?? execution.end ?? now) - start),
    0
  )
  return html`<h2>The execution</h2>
    ${facts(
      ["Started", words.moment(execution.start, now)],
      execution.end === undefined ? undefined : ["Ended", words.moment(execution.end, now)],
      ["Invocations", `${invocations.length}`],
      ["Suspended", words.duration(suspended)],
      ["Version", execution.version ?? "–"],
      execution.timeoutSeconds === undefined
        ? undefined
        : ["Times out", words.moment(execution.start + execution.timeoutSeconds * 1_000, now)],
      ["ARN", copyable(execution.arn, "the ARN")]
    )}
    ${payloadBlock("Input", execution.input, links.payload(execution.name, "input", undefined))}
    ${payloadBlock("Output", execution.output, links.payload(execution.name, "output", undefined))}
    ${errorBlock("Error", execution.error, links.payload(execution.name, "error", undefined))}`
}

// --- An operation --------------------------------------------------------------------------------------------------------

const ofRow = (snapshot: Snapshot, row: Timeline.Row, parameters: links.Parameters): Html => {
  const { now, timeline } = snapshot
  const { execution, rows } = timeline
  const isOpen = Timeline.isOpen(execution)
  const look = words.lookOfRow(row, isOpen)
  const parent = rows.find(({ id }) => id === row.parentId)
  const end = row.end ?? (isOpen ? now : undefined)
  return html`<div class="inspector-head">
      <h2><span class="kind">${words.kindOf(row)}</span> ${words.nameOf(row)}</h2>
      <a class="close" href="${links.execution(execution.name, parameters)}" data-close aria-label="Close the details"
        >×</a
      >
    </div>
    <p class="status ${look.tone}">${signOf(look)} ${look.word}</p>
    ${facts(
      ["Started", words.moment(row.start, now)],
      row.end === undefined ? undefined : ["Ended", words.moment(row.end, now)],
      end === undefined ? undefined : ["Took", words.duration(end - row.start)],
      parent === undefined
        ? undefined
        : [
            "Within",
            html`<a href="${links.operation(execution.name, parent.id, parameters)}"
              >${words.kindOf(parent)} ${words.nameOf(parent)}</a
            >`
          ],
      ...factsOf(row, snapshot),
      ["Replayed", row.replays === 0 ? "never" : `in ${words.count(row.replays, "later invocation")}`],
      ["Id", copyable(row.id, "the id")]
    )}
    ${row.detail._tag === "Step" && attemptsTable(row.detail.attempts, now)}
    ${isOpen && row.end === undefined && row.detail._tag === "Callback" && callbackForms(execution.name, row.id, row.detail)}
    ${row.detail._tag === "Invoke" && payloadBlock("Input", row.detail.input, links.payload(execution.name, "input", row.id))}
    ${payloadBlock("Output", row.output, links.payload(execution.name, "output", row.id))}
    ${errorBlock("Error", row.error, links.payload(execution.name, "error", row.id))}`
}

const factsOf = ({ detail, end, id }: Timeline.Row, { awaited, now }: Snapshot): ReadonlyArray<Fact> => {
  const due = (time: number | undefined): Part =>
    time === undefined
      ? "never"
      : html`${words.moment(time, now)}${end === undefined && html` <span class="note">${words.until(time, now)}</span>`}`
  switch (detail._tag) {
    case "Wait":
      return [["Until", due(detail.until)]]
    case "Callback": {
      const heartbeat = awaited
        .find(({ operation }) => operation.Id === id)
        ?.dues.find(({ kind }) => kind === "HeartbeatTimeout")
      return [
        ["Times out", due(detail.timeoutAt)],
        heartbeat === undefined ? undefined : ["Heartbeat due", due(heartbeat.due)],
        detail.callbackId === undefined ? undefined : ["Callback id", copyable(detail.callbackId, "the callback id")]
      ]
    }
    case "Invoke": {
      const child = detail.executionArn === undefined ? undefined : nameIn(detail.executionArn)
      return [
        ["Function", html`<code>${detail.functionName ?? "–"}</code>`],
        child === undefined ? undefined : ["Execution", html`<a href="${links.execution(child)}">${child}</a>`],
        detail.tenantId === undefined ? undefined : ["Tenant", detail.tenantId]
      ]
    }
    default:
      return []
  }
}

/** The number of listed attempts; there may be thousands of polls. */
const mostAttempts = 100

const attemptsTable = (attempts: ReadonlyArray<Timeline.Attempt>, now: number): Part => {
  if (attempts.length === 0) return undefined
  const hidden = Math.max(0, attempts.length - mostAttempts)
  return html`<section class="value">
    <h3>Attempts</h3>
    ${hidden > 0 && html`<p class="note">The first ${hidden} are not shown.</p>`}
    <ol class="attempts">
      ${attempts.slice(hidden).map((attempt) => attemptItem(attempt, now))}
    </ol>
  </section>`
}

const attemptItem = ({ end, error, nextAttemptAt, number, start, status }: Timeline.Attempt, now: number): Html => {
  const look: words.Look = status === "STARTED" ? { tone: "running", word: "Running" } : words.lookOf(status)
  return html`<li class="${look.tone}">
    <p>
      ${signOf(look)} <b>#${number}</b> ${look.word}
      <span class="note"
        >${words.duration((end ?? now) - start)}${
          nextAttemptAt !== undefined &&
          end !== undefined &&
          `, the next one after ${words.duration(nextAttemptAt - end)}`
        }</span
      >
    </p>
    ${error !== undefined && html`<p class="error-message">${errorLine(error)}</p>`}
  </li>`
}

// --- Callbacks -----------------------------------------------------------------------------------------------------------

const callbackForms = (
  name: string,
  id: string,
  { heartbeatSeconds }: Extract<Timeline.Detail, { readonly _tag: "Callback" }>
): Html =>
  html`<section class="value forms">
    <h3>Answer it</h3>
    <form method="post" action="${links.action(name, "succeed", id)}" data-action>
      <label for="result">Result, as the workflow reads it: JSON for most</label>
      <textarea id="result" name="result" rows="3" spellcheck="false" placeholder='{"approved":true}'></textarea>
      <button type="submit" class="button main">Succeed</button>
    </form>
    ${heartbeatSeconds !== undefined && html`<form method="post" action="${links.action(name, "heartbeat", id)}" data-action><button type="submit" class="button">Send a heartbeat</button></form>`}
    <details id="fail-callback">
      <summary class="button danger">Fail…</summary>
      <form method="post" action="${links.action(name, "fail", id)}" data-action>
        <label for="fail-type">Error type</label
        ><input id="fail-type" name="type" autocomplete="off" spellcheck="false" />
        <label for="fail-message">Message</label><input id="fail-message" name="message" autocomplete="off" />
        <label for="fail-data">Data, as the workflow reads it</label
        ><textarea id="fail-data" name="data" rows="2" spellcheck="false"></textarea>
        <button type="submit" class="button danger">Fail it</button>
      </form>
    </details>
  </section>`
