/**
 * What a page does in the browser: it sends forms, hears of changes, and shows an operation without loading the whole page.
 * Pages can be read without it.
 */

/** @param {string} name */
const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.getAttribute("content") ?? ""

/** @param {string} id */
const byId = (id) => document.getElementById(id)

/**
 * Says something that a screen reader reads out.
 *
 * @param {string} text
 * @param {"good" | "bad"} tone
 */
const say = (text, tone) => {
  const said = byId("said")
  if (said === null) return
  said.textContent = text
  said.className = `said ${tone}`
}

// --- The page as it is now -----------------------------------------------------------------------------------------------

/** Parts of a page that are brought up to date one by one, so that what has not changed stays as it is. */
const parts = ["head", "tabs", "list", "pager", "waterfall", "inspector", "log"]

/** Whether somebody is writing or has opened something in there. @param {Element} part */
const isInUse = (part) =>
  part.querySelector("details[open] form, :is(input, textarea, select):focus") !== null ||
  Array.from(part.querySelectorAll("textarea, input")).some(
    (field) =>
      (field instanceof HTMLTextAreaElement || field instanceof HTMLInputElement) && field.value !== field.defaultValue
  )

/**
 * Puts the rows of a list in place of those that differ.
 *
 * @param {Element} before
 * @param {Element} after
 */
const replaceChildren = (before, after) => {
  const rows = Array.from(after.children)
  rows.forEach((row, index) => {
    const old = before.children[index]
    if (old === undefined) before.append(row)
    else if (!old.isEqualNode(row)) old.replaceWith(row)
  })
  while (before.children.length > rows.length) before.lastElementChild?.remove()
}

/**
 * @param {Document} next
 * @param {ReadonlyArray<string>} names
 */
const takeOver = (next, names) => {
  const focused = document.activeElement?.id
  for (const name of names) {
    const [before, after] = [byId(name), next.getElementById(name)]
    if (before === null || after === null || isInUse(before) || before.isEqualNode(after)) continue
    const [rows, newRows] = [before.querySelector("#rows"), after.querySelector("#rows")]
    if (rows === null || newRows === null || name === "list") {
      before.replaceWith(after)
      continue
    }
    replaceChildren(rows, newRows)
    newRows.replaceWith(rows)
    before.replaceWith(after)
  }
  document.title = next.title
  document.body.dataset["live"] = next.body.dataset["live"] ?? ""
  if (focused !== undefined && focused !== "" && document.activeElement?.id !== focused) byId(focused)?.focus()
}

/**
 * Loads a page and shows what has changed.
 *
 * @param {string} address
 * @param {ReadonlyArray<string>} [names]
 */
const load = async (address, names = parts) => {
  const response = await fetch(address, { headers: { accept: "text/html" } })
  if (!response.ok) throw new Error(`The engine answered with ${response.status}.`)
  takeOver(new DOMParser().parseFromString(await response.text(), "text/html"), names)
}

// --- Changes -------------------------------------------------------------------------------------------------------------

let isLoading = false
let isLate = false

/** Brings the page up to date. A page that takes long to load is loaded less often. */
const refresh = async () => {
  if (isLoading) {
    isLate = true
    return
  }
  isLoading = true
  const start = performance.now()
  try {
    await load(location.href)
  } catch {
    // The stream says when the engine is gone.
  }
  const rest = Math.max(250, 2 * (performance.now() - start))
  setTimeout(() => {
    isLoading = false
    if (!isLate) return
    isLate = false
    void refresh()
  }, rest)
}

/** @param {string} text */
const pulse = (text) => {
  const place = byId("pulse")
  if (place === null || place.textContent === text) return
  place.textContent = text
  place.classList.toggle("on", text === "Live")
}

/** @type {EventSource | undefined} */
let stream

const listen = () => {
  const live = document.body.dataset["live"] ?? ""
  if (live === "" || document.hidden || stream !== undefined) return
  const execution = byId("head")?.dataset["arn"]
  stream = new EventSource(
    execution === undefined ? "/_ui/events" : `/_ui/events?execution=${encodeURIComponent(execution)}`
  )
  stream.addEventListener("engine", (event) => {
    if (event.data !== meta("engine")) return location.reload()
    pulse("Live")
    // What happened while nobody listened.
    void refresh()
  })
  stream.addEventListener("change", () => void refresh())
  stream.addEventListener("error", () => pulse("Not connected"))
}

const hangUp = () => {
  stream?.close()
  stream = undefined
  pulse("")
}

document.addEventListener("visibilitychange", () => (document.hidden ? hangUp() : listen()))
addEventListener("pagehide", hangUp)
addEventListener("pageshow", listen)
listen()

// --- Actions -------------------------------------------------------------------------------------------------------------

document.addEventListener("submit", async (event) => {
  const form = event.target
  if (!(form instanceof HTMLFormElement) || form.dataset["action"] === undefined) return
  event.preventDefault()
  const fields = new URLSearchParams()
  new FormData(form).forEach((value, name) => {
    if (typeof value === "string") fields.append(name, value)
  })
  const button = event.submitter
  button?.setAttribute("aria-disabled", "true")
  try {
    const response = await fetch(form.action, {
      method: "POST",
      headers: { "x-effect-durable-token": meta("token") },
      body: fields
    })
    const answer = await response.json()
    if (!response.ok) return say(answer.message, "bad")
    form.reset()
    form.closest("details")?.removeAttribute("open")
    if (typeof answer.go === "string") return location.assign(answer.go)
    say(answer.said, "good")
    if (button instanceof HTMLElement) button.blur()
    await load(location.href)
    byId("main")?.focus({ preventScroll: true })
  } catch {
    say("The engine does not answer.", "bad")
  } finally {
    button?.removeAttribute("aria-disabled")
  }
})

document.addEventListener("change", (event) => {
  const field = event.target
  if (field instanceof HTMLSelectElement && field.dataset["submit"] !== undefined) field.form?.requestSubmit()
})

// --- Looking at an operation ---------------------------------------------------------------------------------------------

/**
 * Shows the details of a row beside the rows.
 *
 * @param {HTMLAnchorElement} link
 */
const choose = async (link) => {
  const address = link.href.replace(/#.*/, "")
  await load(address, ["inspector"])
  history.replaceState(undefined, "", address)
  for (const chosen of document.querySelectorAll("#rows [aria-current]")) chosen.removeAttribute("aria-current")
  const { searchParams } = new URL(address)
  byId(`row-${searchParams.get("op") ?? ""}`)?.setAttribute("aria-current", "true")
}

document.addEventListener("click", (event) => {
  if (!(event.target instanceof Element) || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey)
    return
  const link = event.target.closest("a")
  if (link !== null && (link.closest("#rows.rows") !== null || link.dataset["close"] !== undefined)) {
    event.preventDefault()
    const row = document.querySelector("#rows [aria-current]")
    void choose(link).then(
      () => {
        // By keyboard one wants to read what has been asked for, and to be back where one was.
        const next = link.dataset["close"] === undefined ? byId("inspector") : row
        if (event.detail === 0 && next instanceof HTMLElement) next.focus()
      },
      () => location.assign(link.href)
    )
  }
  if (link?.dataset["load"] !== undefined) {
    event.preventDefault()
    void show(link)
  }
  const copied = event.target.closest("[data-copy]")
  if (copied instanceof HTMLElement) {
    navigator.clipboard.writeText(copied.dataset["copy"] ?? "").then(
      () => say("Copied.", "good"),
      () => say("The browser does not let this page copy.", "bad")
    )
  }
})

/**
 * Shows a payload that was too large to come with the page.
 *
 * @param {HTMLAnchorElement} link
 */
const show = async (link) => {
  const response = await fetch(link.href)
  if (!response.ok) return say("The engine does not have it any more.", "bad")
  const text = await response.text()
  const pre = document.createElement("pre")
  pre.tabIndex = 0
  pre.textContent = text
  link.parentElement?.replaceWith(pre)
  pre.focus()
}

document.addEventListener("keydown", (event) => {
  const { target } = event
  if (event.key === "Escape") {
    const open = target instanceof Element ? target.closest("details[open]") : null
    if (open !== null) {
      open.removeAttribute("open")
      open.querySelector("summary")?.focus()
    } else if (!(target instanceof HTMLTextAreaElement) && !(target instanceof HTMLInputElement)) {
      document
        .querySelector("[data-close]")
        ?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }))
    }
  }
  if (!(target instanceof HTMLElement) || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return
  const row = target.closest("#rows > *")
  const next = event.key === "ArrowDown" ? row?.nextElementSibling : row?.previousElementSibling
  const link = next?.querySelector("a")
  if (link === null || link === undefined) return
  event.preventDefault()
  link.focus()
})
