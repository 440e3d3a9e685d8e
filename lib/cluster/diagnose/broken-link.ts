/** What is broken, in values and in words. */

/** How many last words are shown. */
export const TAIL = 8

/** What one look at a link found. */
export interface Finding {
  /** One line. */
  readonly cause: string
  /** The last words of whoever it is. */
  readonly lines: readonly string[]
  /** More time does not help. */
  readonly final?: boolean
  /** More time does not help once it has been so, with the same `kind`, for that long without a break. */
  readonly finalAfterMs?: number
  readonly kind?: string
  /** It may be on its way, and nothing the matter with it: broken only after some time. */
  readonly starting?: boolean
  /** When whoever it is last ended; milliseconds since 1970. */
  readonly endedAt?: number
}

export interface Broken extends Finding {
  /** Name of the link, e.g. `etcd`. */
  readonly link: string
}

/** For people: the cause, and below it the last words. */
export function brokenText({ link, cause, lines }: Broken): string {
  return [`the first broken link is the ${link}: ${cause}`, ...lines.map(line => `  ${line}`)].join('\n')
}
