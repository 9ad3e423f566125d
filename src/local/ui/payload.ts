/**
 * Values and errors in readable form.
 *
 * Owns: the layout of JSON, and the size up to which a value is part of a page.
 * Does not own: where values are shown.
 *
 * @since 0.1.0
 */
import { originOf } from "../../view/causes.ts"
import { headline } from "../../view/headline.ts"
import type { ErrorObject } from "../../wire/ErrorObject.ts"
import type { EventError, EventPayload } from "../../wire/HistoryEvent.ts"
import { html, type Html, type Part } from "./Html.ts"
import * as words from "./words.ts"

/** The number of characters of a payload that are part of a page. A larger payload is loaded on request. */
const mostCharacters = 64 * 1_024

/** Returns JSON over several lines, and any other text unchanged. */
export const laidOut = (text: string): string => {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2)
  } catch {
    return text
  }
}

/** Returns a payload under a heading, or nothing if there is none. `href` leads to the whole payload. */
export const payloadBlock = (heading: string, payload: EventPayload | undefined, href: string): Part => {
  const { Payload: text, Truncated: isCut } = payload ?? {}
  if (text === undefined) return undefined
  return html`<section class="value">
    <h3>${heading}</h3>
    ${textBlock(heading, text, href)}${isCut === true && cut}
  </section>`
}

const cut = html`<p class="note">The service has cut this in the history.</p>`

const textBlock = (heading: string, text: string, href: string): Html => {
  if (text.length <= mostCharacters) return block(heading, laidOut(text))
  return html`<p class="note">
    ${words.bytes(Buffer.byteLength(text))}, too large to come with the page. <a href="${href}" data-load>Show it</a>
  </p>`
}

const block = (heading: string, text: string): Html =>
  html`<pre tabindex="0" role="region" aria-label="${heading}"><code>${text}</code></pre>`

/** Returns an error with everything that is recorded of it. */
export const errorBlock = (heading: string, error: EventError | undefined, href: string): Part => {
  if (error === undefined) return undefined
  const { ErrorData: data, ErrorMessage: message, ErrorType: type, StackTrace: trace = [] } = error.Payload ?? {}
  return html`<section class="value error">
    <h3>${heading}</h3>
    <p class="error-type">${type ?? "Error"}</p>
    ${message !== undefined && message !== "" && html`<p class="error-message">${message.slice(0, mostCharacters)}</p>`}
    ${
      originBlock(error.Payload ?? {}) ??
      (data !== undefined &&
        html`<h4>Data</h4>
          ${textBlock(`${heading}: data`, data, href)}`)
    }
    ${
      trace.length > 0 &&
      html`<details>
        <summary>Where it came from</summary>
        ${block(`${heading}: stack`, trace.join("\n").slice(0, mostCharacters))}
      </details>`
    }
    ${error.Truncated === true && cut}
  </section>`
}

/** Returns the causes of an error that was thrown. */
const originBlock = (error: ErrorObject): Part => {
  const { causes, code } = originOf(error) ?? { causes: [] }
  if (causes.length === 0 && code === undefined) return undefined
  return html`${code !== undefined && html`<p class="note">Code: <code>${code}</code></p>`}
  ${
    causes.length > 0 &&
    html`<h4>Caused by</h4>
      <ol class="causes">
        ${causes.map(
          (cause) =>
            html`<li>
              <b>${cause.type}</b>${cause.code !== undefined && html` <code>${cause.code}</code>`}<br />${cause.message}
            </li>`
        )}
      </ol>`
  }`
}

/** Returns an error in a line. */
export const errorLine = (error: EventError | undefined): string => {
  const line = headline(error?.Payload ?? {})
  return line === "" ? "An error without a word" : line.length > 300 ? `${line.slice(0, 300)}…` : line
}
