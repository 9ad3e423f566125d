/**
 * The page of one execution: its status, its actions, and one of three views of it.
 *
 * Owns: the content and the order of that page.
 * Does not own: the views themselves.
 *
 * @since 0.1.0
 */
import * as Timeline from "../../view/Timeline.ts"
import { html, type Html, type Part } from "./Html.ts"
import { signOf } from "./icons.ts"
import { inspector } from "./inspector.ts"
import type { Page } from "./layout.ts"
import * as links from "./links.ts"
import { eventsView, invocationsView } from "./logs.ts"
import { errorLine } from "./payload.ts"
import * as Scale from "./Scale.ts"
import { nameIn, type Snapshot } from "./Snapshot.ts"
import { waterfall } from "./waterfall.ts"
import * as words from "./words.ts"

export interface Asked {
  /** The id of an operation. */
  readonly op?: string | undefined
  readonly view?: string | undefined
  readonly scale?: string | undefined
  /** The number of the first line of a log. */
  readonly from?: number | undefined
}

export const executionPage = (snapshot: Snapshot, asked: Asked): Page => {
  const { name } = snapshot.timeline.execution
  return {
    title: name,
    live: Timeline.isOpen(snapshot.timeline.execution) ? name : undefined,
    body: html`${head(snapshot)} ${views(snapshot, asked.view)}
    ${asked.view === "events" ? eventsView(snapshot, asked.from ?? 1) : asked.view === "invocations" ? invocationsView(snapshot, asked.from ?? 1) : timelineView(snapshot, asked)}`
  }
}

const timelineView = (snapshot: Snapshot, { op, scale: asked }: Asked): Html => {
  const { execution, rows, suspensions } = snapshot.timeline
  const wanted = asked === "real" || asked === "folded" ? asked : undefined
  const parameters = { scale: wanted }
  const scale = Scale.make({ start: execution.start, end: execution.end ?? snapshot.now, suspensions, wanted })
  const row = op === undefined ? undefined : rows.find(({ id }) => id === op)
  return html`<div class="split">
    <section class="panel" aria-label="Operations">
      ${waterfall({ snapshot, scale, selected: row?.id, parameters })}
    </section>
    ${inspector(snapshot, row, parameters)}
  </div>`
}

// --- The head ------------------------------------------------------------------------------------------------------------

const head = (snapshot: Snapshot): Html => {
  const { functionName, now, timeline } = snapshot
  const { execution } = timeline
  const look = words.lookOf(execution.status)
  const lasted = words.duration((execution.end ?? now) - execution.start)
  return html`<section class="head" id="head" data-arn="${execution.arn}">
    <nav aria-label="Breadcrumb">
      <ol class="crumbs">
        <li><a href="${links.list()}">Executions</a></li>
        <li><a href="${links.list({ function: functionName })}">${functionName}</a></li>
      </ol>
    </nav>
    <div class="title">
      <h1>${execution.name}</h1>
      <p class="status pill ${look.tone}">${signOf(look)} ${look.word}</p>
      <p class="note">
        started ${words.moment(execution.start, now)}, ${execution.end === undefined ? "running for" : "took"} ${lasted}
      </p>
    </div>
    ${actions(snapshot)} ${callsOf(snapshot)} ${bannerOf(snapshot)}
  </section>`
}

/** Returns links to the caller, and to the execution that it continues as. */
const callsOf = ({ caller, timeline }: Snapshot): Part => {
  const next = timeline.execution.continuedAs
  const nextName = next === undefined ? undefined : nameIn(next)
  return [
    caller !== undefined &&
      html`<p class="call">
        Called by <a href="${links.operation(caller.name, caller.operationId)}">${caller.name}</a>
      </p>`,
    nextName !== undefined &&
      html`<p class="call">Continues as <a href="${links.execution(nextName)}">${nextName}</a></p>`
  ]
}

/** Returns why it failed, or what it waits for. */
const bannerOf = (snapshot: Snapshot): Part => {
  const { execution, invocations, rows } = snapshot.timeline
  if (execution.error !== undefined) {
    const culprit = rows.findLast(({ error, end }) => error !== undefined && end !== undefined)
    return html`<p class="banner ${words.lookOf(execution.status).tone}">
      <b>${errorLine(execution.error)}</b>${
        culprit !== undefined &&
        html` <a href="${links.operation(execution.name, culprit.id)}"
          >Last operation that failed: ${words.nameOf(culprit)}</a
        >`
      }
    </p>`
  }
  if (!Timeline.isOpen(execution)) return undefined
  if (snapshot.skippable?.kind === "InvocationRetry") {
    const crashed = invocations.findLast(({ error }) => error !== undefined)
    return html`<p class="banner bad">
      <b>The last invocation failed</b> and is repeated ${words.until(snapshot.skippable.due, snapshot.now)}.
      ${errorLine(crashed?.error)}
    </p>`
  }
  const waits = snapshot.awaited.slice(0, 4)
  const more = snapshot.awaited.length - waits.length
  return (
    waits.length > 0 &&
    html`<p class="banner waiting">
      Waits for
      ${waits.map(
        ({ dues, operation }, index) =>
          html`${index > 0 && ", "}<a href="${links.operation(execution.name, operation.Id)}"
              >${words.kindOf({ type: operation.Type, subType: operation.SubType })}
              ${words.nameOf({ name: operation.Name })}</a
            >${dues[0] !== undefined && ` (${words.due(dues[0], snapshot.now)})`}`
      )}${more > 0 && ` and ${more} more`}
    </p>`
  )
}

// --- Actions -------------------------------------------------------------------------------------------------------------

const actions = (snapshot: Snapshot): Html => {
  const { execution } = snapshot.timeline
  return html`<div class="actions">
    ${snapshot.skippable !== undefined && html`<form method="post" action="${links.action(execution.name, "skip")}" data-action><button type="submit" class="button" id="skip">Skip ${skipped(snapshot, snapshot.skippable)}</button></form>`}
    <form method="post" action="${links.action(execution.name, "rerun")}" data-action>
      <button type="submit" class="button" id="rerun">Run again</button>
    </form>
    ${Timeline.isOpen(execution) && stopForm(execution.name)}
  </div>`
}

/** Describes what a timer delays. */
const skipped = (
  { now, timeline }: Snapshot,
  { due, kind, operationId }: NonNullable<Snapshot["skippable"]>
): string => {
  const row = timeline.rows.find(({ id }) => id === operationId)
  const what = kind === "Wait" ? "wait" : "pause before retry"
  const name = row === undefined ? "" : ` “${words.nameOf(row)}”`
  return `${what}${name}, ${due > now ? `${words.duration(due - now)} left` : "due now"}`
}

const stopForm = (name: string): Html =>
  html`<details class="menu" id="stop">
    <summary class="button danger">Stop…</summary>
    <form method="post" action="${links.action(name, "stop")}" data-action>
      <p>It ends for good, and none of its code runs any more.</p>
      <label for="stop-message">Why, for its record</label><input id="stop-message" name="message" autocomplete="off" />
      <button type="submit" class="button danger">Stop the execution</button>
    </form>
  </details>`

const views = ({ events, timeline }: Snapshot, view: string | undefined): Html => {
  const { name } = timeline.execution
  const tab = (label: string, of: string | undefined): Html =>
    html`<a href="${links.execution(name, { view: of })}" ${(view ?? "") === (of ?? "") && html` aria-current="page"`}
      >${label}</a
    >`
  return html`<nav class="tabs" id="tabs" aria-label="Views">
    ${tab("Timeline", undefined)}${tab(`Events (${events.length.toLocaleString("en")})`, "events")}${tab(`Invocations (${timeline.invocations.length.toLocaleString("en")})`, "invocations")}
  </nav>`
}
