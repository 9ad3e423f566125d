/**
 * Points in time in the local time zone of this machine, for people.
 *
 * Owns: their form. Does not own: lengths of time.
 *
 * @since 0.1.0
 */

const two = (number: number): string => String(number).padStart(2, "0")

/** Returns a date and a time, such as `2026-11-30 10:02:11`. */
export const dateTime = (millis: number): string => {
  const date = new Date(millis)
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${timeOfDay(millis)}`
}

/** Returns a time of day, such as `10:02:11`. */
export const timeOfDay = (millis: number): string => {
  const date = new Date(millis)
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}
