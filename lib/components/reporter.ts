/** The progress of components for a script: a bar on a terminal, lines elsewhere, events with `-o json`. */
import type { Call } from '../script.ts'
import { openEvents, openReporter, type Reporter } from './progress.ts'

/** The reporter that fits a script's flags. */
export function reporterOf({ flags, output }: Pick<Call, 'flags' | 'output'>): Reporter {
  if (flags.output === 'json') return { onProgress: openEvents(output.event), end: () => {} }
  const { stderr } = process
  const terminal =
    stderr.isTTY && !flags.quiet
      ? { write: (text: string) => void stderr.write(text), columns: stderr.columns }
      : undefined
  return openReporter(output.say, terminal)
}
