/** The suite `wait`: time that passes without an invocation. */
import { wait, invoked, named, type Rows } from "./table.ts"

export const rows: Rows = {
  "2-1": { result: null, events: [...wait(2), invoked] },
  "2-2": {
    result: null,
    events: [...named("custom_wait_name", wait(2)), invoked]
  },
  "2-3": { result: null, events: [...wait(1, "a"), ...wait(1, "b"), invoked] },
  "2-4": { open: true, events: wait(60).slice(0, 2) },
  "2-5": { open: true, events: wait(3_600).slice(0, 2) }
}
