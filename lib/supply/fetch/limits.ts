/** How patient fetching is: everything is bounded in count and in time. */

export interface Limits {
  /** When no host at all has answered by then, nothing can be reached. Leaves room for starting up and saying so within ten seconds. */
  readonly reachMs: number
  /** From asking to the first line of the answer. */
  readonly answerMs: number
  /** A transfer that brings less than `stallBytes` in this time is given up (and resumed elsewhere). */
  readonly stallMs: number
  readonly stallBytes: number
  /** Tries in a row that bring nothing new. */
  readonly tries: number
  /** Tries in all, for a connection that breaks again and again but brings something each time. */
  readonly allTries: number
  /** How much counts as something new. */
  readonly progressBytes: number
  /** How often a complete file may have the wrong checksum. */
  readonly mismatches: number
  /** The first pause before a further round; doubled each time up to `longestPauseMs`, with jitter. */
  readonly pauseMs: number
  readonly longestPauseMs: number
  /** Transfers at once. */
  readonly atOnce: number
  /** The largest file of which nobody says beforehand how large it is. */
  readonly fileBytes: number
  /** The largest image, all layers together. */
  readonly imageBytes: number
}

export const LIMITS: Limits = {
  reachMs: 7000,
  answerMs: 15_000,
  stallMs: 20_000,
  stallBytes: 64 * 1024,
  tries: 6,
  allTries: 40,
  progressBytes: 1024 * 1024,
  mismatches: 2,
  pauseMs: 400,
  longestPauseMs: 8000,
  atOnce: 6,
  // A kubelet has 60 to 130 MB, the CNI plugins unpacked 80.
  fileBytes: 1024 ** 3,
  imageBytes: 16 * 1024 ** 3,
}
