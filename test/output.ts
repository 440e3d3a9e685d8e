/** An output for tests of scripts: what a test does not listen to is dropped. */
import type { Output } from '../lib/cli/output.ts'

export function outputOf(listeners: Partial<Output> = {}): Output {
  const silent = (): void => {}
  const { say = silent } = listeners
  return {
    say,
    fold: (_summary, lines) => {
      for (const line of lines) say(line)
    },
    detail: silent,
    warn: silent,
    result: silent,
    event: silent,
    begin: (_what, line) => {
      if (line !== undefined) say(line)
      return {
        tell: silent,
        done: last => {
          if (last !== undefined) say(last)
        },
      }
    },
    ...listeners,
  }
}
