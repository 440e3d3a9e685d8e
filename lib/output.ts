/**
 * What a script says: progress for people on stdout as kubeadm does, warnings and errors on stderr,
 * results alone on stdout. With `-o json` every one of them is an event of one line on stdout.
 */
import { maskSecrets } from './diagnose/secrets.ts'
import type { Json } from './json.ts'
import type { Flags } from './options.ts'

import { openTasks, type Task } from './screen/tasks.ts'
import { write } from './streams.ts'

export interface Output {
  /** A line of progress, e.g. `[certs] Generating "ca" certificate and key`. */
  readonly say: (line: string) => void
  /** Lines that belong together: a terminal shows the summary in their place, unless `--verbose`. */
  readonly fold: (summary: string, lines: readonly string[]) => void
  /** A line only `--verbose` shows. */
  readonly detail: (line: string) => void
  readonly warn: (line: string) => void
  /** What the command was asked for, complete with its newlines; not silenced by `--quiet`. */
  readonly result: (text: string) => void
  /** What programs want to know, as an event of that kind; people are told in words, so text output leaves it out. */
  readonly event: (kind: string, facts: Readonly<Record<string, Json>>) => void
  /**
   * Something that takes a while begins, with a line that says so. A terminal shows it as long as it runs; elsewhere
   * it is spoken of when nothing else has been said for a while.
   */
  readonly begin: (what: string, line?: string) => Task
}

/** An output for the given flags. */
export function openOutput(flags: Pick<Flags, 'output' | 'quiet' | 'verbose'>): Output {
  return flags.output === 'json' ? openEvents(flags) : openLines(flags)
}

function openEvents({ verbose }: Pick<Flags, 'verbose'>): Output {
  const event = (kind: string, facts: Readonly<Record<string, Json>>): void => {
    write('stdout', `${JSON.stringify({ event: kind, ...facts })}\n`)
  }
  const said =
    (kind: string, mask: (text: string) => string = text => text) =>
    (text: string): void => {
      tasks.spoke()
      event(kind, { text: mask(text) })
    }
  const say = said('progress')
  const tasks = openTasks(
    () => {},
    text => say(`[wait] ${maskSecrets(text)}`),
  )
  return {
    say,
    fold: (_summary, lines) => {
      for (const line of lines) say(line)
    },
    detail: verbose ? said('detail', maskSecrets) : () => {},
    warn: said('warning', maskSecrets),
    result: said('result'),
    event,
    begin: (what, line) => beginWith(say, line, done => tasks.begin(what, done)),
  }
}

function openLines({ quiet, verbose }: Pick<Flags, 'quiet' | 'verbose'>): Output {
  const silent = (): void => {}
  const say = (line: string): void => {
    tasks.spoke()
    write('stdout', `${line}\n`)
  }
  const tasks = openTasks(silent, text => say(`[wait] ${maskSecrets(text)}`))
  return {
    say: quiet ? silent : say,
    fold: (_summary, lines) => {
      for (const line of quiet ? [] : lines) say(line)
    },
    detail: verbose && !quiet ? line => say(maskSecrets(line)) : silent,
    warn: line => {
      write('stderr', `${maskSecrets(line)}\n`)
    },
    result: text => {
      write('stdout', text)
    },
    event: silent,
    begin: quiet
      ? () => ({ tell: silent, done: silent })
      : (what, line) => beginWith(say, line, done => tasks.begin(what, done)),
  }
}

function beginWith(
  say: (line: string) => void,
  line: string | undefined,
  begin: (done: (line?: string) => void) => Task,
): Task {
  if (line !== undefined) say(line)
  return begin(last => {
    if (last !== undefined) say(last)
  })
}
