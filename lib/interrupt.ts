/** Ctrl-C and the like: a word on what it means, and the exit status that a shell expects. */
import { write } from './streams.ts'

const SIGNALS: readonly (readonly [name: NodeJS.Signals, number: number])[] = [
  ['SIGHUP', 1],
  ['SIGINT', 2],
  ['SIGTERM', 15],
]

/**
 * Ends the process when it is told to: `giveBack` is called, `<what>: interrupted; <advice>` goes to standard error,
 * the status is 128 and the signal's number. Gives the function that goes back to what was before.
 */
export function onInterrupt(what: string, advice: string, giveBack: () => void): () => void {
  const handlers = SIGNALS.map(([name, number]) => {
    const handler = (): void => {
      giveBack()
      write('stderr', `${what}: interrupted; ${advice}\n`)
      process.exit(128 + number)
    }
    process.once(name, handler)
    return [name, handler] as const
  })
  return () => {
    for (const [name, handler] of handlers) process.off(name, handler)
  }
}
