/** The progress of components for a script: a bar on a terminal, lines elsewhere, events with `-o json`. */

import type { Call } from '../../cli/script.ts'
import type { Task } from '../../cli/tasks.ts'
import { CLEAR, openEvents, openReporter, type Reporter } from '../fetch/fetch-progress.ts'

/** The reporter that fits a script's flags. */
export function reporterOf({ flags, output }: Pick<Call, 'flags' | 'output'>): Reporter {
  if (flags.output === 'json') return { onProgress: openEvents(output.event), end: () => {} }
  if (output.isLive) return drawnReporter(output)
  const { stderr } = process
  const terminal =
    stderr.isTTY && !flags.quiet
      ? { write: (text: string) => void stderr.write(text), columns: stderr.columns }
      : undefined
  return openReporter(output.say, terminal)
}

/** Where what runs is drawn already the bar is a part of that. */
function drawnReporter({ begin, say }: Call['output']): Reporter {
  let task: Task | undefined
  const end = (): void => {
    task?.done()
    task = undefined
  }
  const write = (text: string): void => {
    const bar = text.replace(CLEAR, '')
    if (bar === '') end()
    else {
      task ??= begin('downloads')
      task.tell(bar)
    }
  }
  // It is cut where it is drawn.
  return openReporter(say, { write, columns: Number.MAX_SAFE_INTEGER })
}
