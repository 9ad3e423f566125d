/**
 * The two encodings of a point in time. Inside, time is always a number of milliseconds since the epoch.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

export const EventTimestamp = Schema.Number
export const ApiTimestamp = Schema.Number
