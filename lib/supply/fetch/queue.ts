/** A queue that runs a limited number of things at once. */

/** Runs work when it is its turn. */
export type Queue = <T>(work: () => Promise<T>) => Promise<T>

/** A queue that runs `atOnce` pieces of work at a time, first come, first served. */
export function openQueue(atOnce: number): Queue {
  const waiting: (() => void)[] = []
  let running = 0
  return async work => {
    if (running >= atOnce) await new Promise<void>(resolve => waiting.push(resolve))
    else running++
    try {
      return await work()
    } finally {
      // The place goes straight to the next in line.
      const next = waiting.shift()
      if (next === undefined) running--
      else next()
    }
  }
}
