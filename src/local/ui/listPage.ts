/**
 * The list of executions.
 *
 * Owns: the content of that page: the counts of each kind, filters, the executions themselves, and the form that starts one.
 * Does not own: how executions are found.
 *
 * @since 0.1.0
 */
import type { Functions } from "../Functions.ts"
import type { Counts, Found, Page as FoundPage, Status } from "../Search.ts"
import { html, type Html, type Part } from "./Html.ts"
import { signOf } from "./icons.ts"
import type { Page } from "./layout.ts"
import * as links from "./links.ts"
import * as words from "./words.ts"

export interface Filter {
  readonly functionName?: string | undefined
  readonly name?: string | undefined
  readonly status?: Status | undefined
}

export interface ListOptions {
  readonly filter: Filter
  readonly found: FoundPage
  readonly counts: Counts
  readonly functions: Functions
  /** Describes in a line what an open execution waits for. */
  readonly waitsFor: (found: Found) => string
  readonly now: number
}

export const listPage = (options: ListOptions): Page => {
  const { counts, filter, found, functions } = options
  const total = Object.values(counts).reduce((sum, many) => sum + many, 0)
  const isFiltered = filter.functionName !== undefined || filter.name !== undefined || filter.status !== undefined
  return {
    title: "Executions",
    live: "*",
    body: html`<section class="head">
        <div class="title"><h1>Executions</h1></div>
        <div class="actions">${startForm(functions, filter.functionName)}</div>
      </section>
      ${tabs(counts, total, filter)} ${filters(options)}
      <section class="panel list" id="list" aria-label="Executions">
        ${found.executions.length > 0 ? table(options) : isFiltered ? nothingFound : nothingYet(functions)}
      </section>
      ${pager(options)}`
  }
}

const parametersOf = ({ functionName, name, status }: Filter): links.Parameters => ({
  function: functionName,
  name,
  status
})

// --- Filters -------------------------------------------------------------------------------------------------------------

const tabs = (counts: Counts, total: number, filter: Filter): Html => {
  const tab = (status: Status | undefined, many: number): Html => {
    const look = status === undefined ? undefined : words.lookOf(status)
    return html`<a
      href="${links.list({ ...parametersOf(filter), status })}"
      class="${look?.tone}"
      ${filter.status === status && html` aria-current="page"`}
      >${look !== undefined && signOf(look)} ${look?.word ?? "All"}
      <span class="many">${many.toLocaleString("en")}</span></a
    >`
  }
  return html`<nav class="tabs states" id="tabs" aria-label="By status">
    ${tab(undefined, total)}${tab("RUNNING", counts.RUNNING)}${tab("SUCCEEDED", counts.SUCCEEDED)}${tab("FAILED", counts.FAILED)}${tab("TIMED_OUT", counts.TIMED_OUT)}${tab("STOPPED", counts.STOPPED)}
  </nav>`
}

const durableIn = (functions: Functions): ReadonlyArray<string> =>
  functions.names.filter((name) => functions.find(name)?.kind === "durable").toSorted()

const filters = ({ filter, functions }: ListOptions): Html =>
  html`<form class="filters" method="get" action="${links.list()}" role="search" aria-label="Executions">
    ${filter.status !== undefined && html`<input type="hidden" name="status" value="${filter.status}" />`}
    <div>
      <label for="function">Function</label
      ><select id="function" name="function" data-submit>
        <option value="">All functions</option>
        ${durableIn(functions).map((name) => html`<option${name === filter.functionName && html` selected`}>${name}</option>`)}
      </select>
    </div>
    <div class="grow">
      <label for="name">Name contains</label
      ><input id="name" name="name" type="search" value="${filter.name}" autocomplete="off" spellcheck="false" />
    </div>
    <button type="submit" class="button">Search</button>
  </form>`

const pager = ({ filter, found }: ListOptions): Part => {
  const [first, last] = [found.executions[0], found.executions.at(-1)]
  if (!found.hasNewer && !found.hasOlder) return undefined
  const parameters = parametersOf(filter)
  return html`<nav class="pager" id="pager" aria-label="Pages">
    ${
      found.hasNewer && html`<a class="button" href="${links.list({ ...parameters, after: first?.place })}">Newer</a>`
    }${found.hasOlder && html`<a class="button" href="${links.list({ ...parameters, before: last?.place })}">Older</a>`}
  </nav>`
}

// --- The table -----------------------------------------------------------------------------------------------------------

// The roles repeat those of the elements, because on a narrow screen the elements are no longer laid out as a table.
const table = (options: ListOptions): Html =>
  html`<table role="table" class="executions">
    <thead role="rowgroup">
      <tr role="row">
        <th role="columnheader" scope="col">Name</th>
        <th role="columnheader" scope="col">Function</th>
        <th role="columnheader" scope="col">Status</th>
        <th role="columnheader" scope="col">Started</th>
        <th role="columnheader" scope="col">Duration</th>
        <th role="columnheader" scope="col">Waits for, or failed with</th>
      </tr>
    </thead>
    <tbody role="rowgroup" id="rows">
      ${options.found.executions.map((found) => rowOf(found, options))}
    </tbody>
  </table>`

const rowOf = (found: Found, { now, waitsFor }: ListOptions): Html => {
  const { end, error, functionName, name, start, status } = found
  const look = words.lookOf(status)
  const reason = status === "RUNNING" ? waitsFor(found) : (error ?? "")
  return html`<tr role="row" id="row-${name}">
    <td role="cell" class="name"><a href="${links.execution(name)}">${name}</a></td>
    <td role="cell" class="function">${functionName}</td>
    <td role="cell"><span class="status ${look.tone}">${signOf(look)} ${look.word}</span></td>
    <td role="cell" class="started">${words.moment(start, now)}</td>
    <td role="cell" class="took">${words.duration((end ?? now) - start)}</td>
    <td role="cell" class="reason">${reason}</td>
  </tr>`
}

const nothingFound = html`<div class="empty">
  <p>No execution matches.</p>
  <p><a class="button" href="${links.list()}">Show all</a></p>
</div>`

const nothingYet = (functions: Functions): Html =>
  html`<div class="empty">
    <p><b>Nothing has been started yet.</b></p>
    <p>Start an execution here, or with any client of AWS:</p>
    <pre
      tabindex="0"
      role="region"
      aria-label="A command"
    ><code>aws lambda invoke --function-name '${durableIn(functions)[0] ?? "order"}:$LATEST' --payload '{}' /dev/stdout</code></pre>
  </div>`

const startForm = (functions: Functions, chosen: string | undefined): Html =>
  html`<details class="menu" id="start">
    <summary class="button main">Start an execution…</summary>
    <form method="post" action="${links.start}" data-action>
      <label for="start-function">Function</label
      ><select id="start-function" name="function">
        ${durableIn(functions).map((name) => html`<option${name === chosen && html` selected`}>${name}</option>`)}
      </select>
      <label for="start-name">Name, if it is to have one</label
      ><input
        id="start-name"
        name="name"
        autocomplete="off"
        spellcheck="false"
        pattern="[A-Za-z0-9_\\-]{1,64}"
        title="1 to 64 letters, digits, - and _"
      />
      <label for="start-payload">Payload, as JSON</label
      ><textarea id="start-payload" name="payload" rows="5" spellcheck="false">{}</textarea>
      <button type="submit" class="button main">Start</button>
    </form>
  </details>`
