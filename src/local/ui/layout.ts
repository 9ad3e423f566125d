/**
 * The frame of every page.
 *
 * Owns: the head, the bar at the top, and the place for the message of an action.
 * Does not own: the content of a page.
 *
 * @since 0.1.0
 */
import { html, type Html, type Part } from "./Html.ts"

/** The data of the engine that every page has. */
export interface Frame {
  /** Proves that a request comes from a page of this engine. */
  readonly token: string
  /** Distinguishes an engine from an earlier one. */
  readonly engine: string
  readonly database: string
}

export interface Page {
  readonly title: string
  /** The changes that the page observes; absent for pages that do not change. */
  readonly live?: string | undefined
  readonly body: Part
}

export const layout = ({ database, engine, token }: Frame, { body, live, title }: Page): Html =>
  html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="token" content="${token}">
<meta name="engine" content="${engine}">
<title>${title} · effect-durable</title>
<link rel="icon" href="/_ui/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/_ui/style.css">
<script src="/_ui/client.js" type="module"></script>
</head>
<body${live !== undefined && html` data-live="${live}"`}>
<a class="skip" href="#main">Skip to the content</a>
<header class="bar">
<a class="brand" href="/_ui/"><svg viewBox="0 0 32 32" aria-hidden="true" focusable="false"><rect class="tile" width="32" height="32" rx="8"/><path d="M7 10h11M7 16h18M14 22h11"/></svg><span>effect-durable</span></a>
<p class="where"><span class="sr">Database: </span><code>${database}</code></p>
<p class="pulse" id="pulse" role="status"></p>
</header>
<div id="said" class="said" role="alert"></div>
<main id="main" tabindex="-1">
${body}
</main>
</body>
</html>
`

/** Returns a page with a single message. */
export const notice = (heading: string, text: Part): Page => ({
  title: heading,
  body: html`<section class="notice">
    <h1>${heading}</h1>
    <p>${text}</p>
    <p><a class="button" href="/_ui/">All executions</a></p>
  </section>`
})
