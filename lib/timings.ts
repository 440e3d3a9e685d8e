/** When what was reached, in milliseconds since the start. */

export interface Timings {
  /** Notes that something has been reached now. */
  readonly mark: (name: string) => void
  readonly marks: () => Readonly<Record<string, number>>
}

export function startTimings(): Timings {
  const start = performance.now()
  const marks: Record<string, number> = {}
  return {
    mark: name => {
      marks[name] = Math.round(performance.now() - start)
    },
    marks: () => ({ ...marks }),
  }
}
