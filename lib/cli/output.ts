/**
 * What a script says: progress for people on stdout as kubeadm does, warnings and errors on stderr,
 * results alone on stdout. With `-o json` every one of them is an event of one line on stdout.
 */

import type { Json } from '../base/json.ts'
import { maskSecrets } from '../base/secrets.ts'
import { openLive } from './live-display.ts'
import type { Flags } from './options.ts'
import { write } from './streams.ts'
import { openTasks, type Task } from './tasks.ts'
import { doneLine, type Look, lookOf, saidLine, warningLine } from './terminal-look.ts'

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
  /** Whether what runs is drawn, so that nobody else should. */
  readonly isLive?: boolean
}

type Shown = Pick<Flags, 'output' | 'quiet' | 'verbose'>

/** An output for the given flags, where this process is shown. */
export function openOutput(flags: Shown): Output {
  if (flags.output === 'json') return openEvents(flags)
  return openLines(flags, lookOf(process.env, process.stdout.isTTY === true))
}

function openEvents({ verbose }: Shown): Output {
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
    begin: (what, line) => {
      if (line !== undefined) say(line)
      return tasks.begin(what, last => {
        if (last !== undefined) say(last)
      })
    },
  }
}

const silent = (): void => {}

/** Lines of these were done when they are said. Others announce, ask, or are the text of a result. */
const DONE =
  /^\[(?:certs|kubeconfig|etcd|control-plane|kubelet-start|addon|components|runtime|images)\] |^\[init\] Kubernetes \S+ is ready/

function openLines({ quiet, verbose }: Shown, { live, colour }: Look): Output {
  const warn = (line: string): void =>
    write('stderr', `${colour ? warningLine(maskSecrets(line)) : maskSecrets(line)}\n`)
  const result = (text: string): void => write('stdout', text)
  if (quiet) {
    const task = { tell: silent, done: silent }
    return { say: silent, fold: silent, detail: silent, warn, result, event: silent, begin: () => task }
  }
  const print = (line: string): void => {
    tasks.spoke()
    write('stdout', `${line}\n`)
  }
  const done = (line: string): void => print(colour ? doneLine(line) : line)
  const say = (line: string): void => (colour && DONE.test(line) ? done(line) : print(colour ? saidLine(line) : line))
  const screen = live ? openLive() : undefined
  const tasks = openTasks(
    () => screen?.show(maskSecrets(tasks.text())),
    // Who watches a spinner sees what is waited for.
    screen === undefined ? text => say(`[wait] ${maskSecrets(text)}`) : silent,
  )
  return {
    say,
    fold: (summary, lines) => {
      if (live && !verbose) done(summary)
      else for (const line of lines) say(line)
    },
    detail: verbose ? line => say(maskSecrets(line)) : silent,
    warn,
    result,
    event: silent,
    begin: (what, line) => {
      // What a spinner shows is said when it is over.
      if (line !== undefined && !live) say(line)
      return tasks.begin(what, last => {
        const words = last ?? (live ? line : undefined)
        if (words !== undefined) done(words)
      })
    },
    isLive: live,
  }
}
