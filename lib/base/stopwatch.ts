/** When what was reached, in milliseconds since the start. */

export interface Timings {
  /** Notes that something has been reached now; gives when that is. */
  readonly mark: (name: string) => number
  readonly marks: () => Readonly<Record<string, number>>
  /** Milliseconds since the start. */
  readonly elapsed: () => number
}

export function startTimings(): Timings {
  const start = performance.now()
  const marks: Record<string, number> = {}
  const elapsed = (): number => Math.round(performance.now() - start)
  return {
    elapsed,
    mark: name => {
      const now = elapsed()
      marks[name] = now
      return now
    },
    marks: () => ({ ...marks }),
  }
}

/** Milliseconds for people: `13.7 s`. */
export function secondsText(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`
}
