/**
 * The raw history, and the invocations, line by line.
 *
 * Owns: those two views, and their division into pages.
 * Does not own: the meaning of an event.
 *
 * @since 0.1.0
 */
import type { HistoryEvent } from "../../wire/HistoryEvent.ts"
import { html, type Html } from "./Html.ts"
import { signOf } from "./icons.ts"
import * as links from "./links.ts"
import { errorLine, laidOut } from "./payload.ts"
import type { Snapshot } from "./Snapshot.ts"
import * as words from "./words.ts"

/** The number of lines on a page. */
const perPage = 200

/** The number of characters of an event that are part of the page. */
const mostCharacters = 16 * 1_024

export const eventsView = ({ events, now, timeline }: Snapshot, from: number): Html => {
  const { name, start } = timeline.execution
  return html`<section class="panel log" id="log" aria-label="Events">
    ${events.length === 0 && html`<p class="empty">Nothing has happened yet.</p>`}
    <ol class="events" start="${from}">
      ${page(events, from).map((event) => eventItem(event, name, start, now))}
    </ol>
    ${pager(name, "events", from, events.length)}
  </section>`
}

const eventItem = (event: HistoryEvent, name: string, start: number, now: number): Html => {
  const text = laidOut(JSON.stringify(event))
  const type = event.EventType === "Unknown" ? event.UnknownEventType : event.EventType
  return html`<li>
    <details>
      <summary>
        <span class="number">${event.EventId}</span> <b>${type}</b> <span class="about">${event.Name}</span>
        <span class="note"
          >${words.moment(event.EventTimestamp, now)}
          <span class="offset">+${words.duration(event.EventTimestamp - start)}</span></span
        >
      </summary>
      <pre
        tabindex="0"
        role="region"
        aria-label="Event ${event.EventId}"
      ><code>${text.slice(0, mostCharacters)}${text.length > mostCharacters && "\n…"}</code></pre>
      ${
        event.Id !== undefined &&
        !type.startsWith("Execution") &&
        html`<p><a href="${links.operation(name, event.Id)}">Show the operation</a></p>`
      }
    </details>
  </li>`
}

export const invocationsView = ({ now, timeline }: Snapshot, from: number): Html => {
  const { execution, invocations } = timeline
  return html`<section class="panel log" id="log" aria-label="Invocations">
    ${invocations.length === 0 && html`<p class="empty">The function has not been invoked yet.</p>`}
    <ol class="invocations" start="${from}">
      ${page(invocations, from).map(({ end, error, requestId, start }, index) => {
        const look: words.Look =
          end === undefined
            ? { tone: "running", word: "Running" }
            : error === undefined
              ? { tone: "good", word: "Completed" }
              : { tone: "bad", word: "Failed" }
        return html`<li class="${look.tone}">
          <p>
            ${signOf(look)} <b>#${from + index}</b> ${look.word}
            <span class="note"
              >${words.moment(start, now)},
              ${words.duration((end ?? now) - start)}${requestId !== undefined && html`, request <code class="id">${requestId}</code>`}</span
            >
          </p>
          ${error !== undefined && html`<p class="error-message">${errorLine(error)}</p>`}
        </li>`
      })}
    </ol>
    ${pager(execution.name, "invocations", from, invocations.length)}
  </section>`
}

const page = <A>(all: ReadonlyArray<A>, from: number): ReadonlyArray<A> => all.slice(from - 1, from - 1 + perPage)

const pager = (name: string, view: string, from: number, total: number): Html | false =>
  total > perPage &&
  html`<nav class="pager" aria-label="Pages">
    <span class="note"
      >${from.toLocaleString("en")}–${Math.min(total, from + perPage - 1).toLocaleString("en")} of
      ${total.toLocaleString("en")}</span
    >${
      from > 1 &&
      html`<a class="button" href="${links.execution(name, { view, from: Math.max(1, from - perPage) })}">Earlier</a>`
    }${from + perPage <= total && html`<a class="button" href="${links.execution(name, { view, from: from + perPage })}">Later</a>`}
  </nav>`
