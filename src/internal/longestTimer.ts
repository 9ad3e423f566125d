/**
 * The longest time that a timer of the host can take, in milliseconds: 24.8 days. Node fires a longer one at once.
 *
 * Owns: this number. Does not own: how a longer time is handled.
 *
 * @since 0.1.0
 */
export const longestTimer = 2 ** 31 - 1
