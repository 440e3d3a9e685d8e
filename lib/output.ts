/**
 * What a script says: progress for people on stdout as kubeadm does, warnings and errors on stderr,
 * results alone on stdout. With `-o json` every one of them is an event of one line on stdout.
 */
import { maskSecrets } from './diagnose/secrets.ts'
import type { Json } from './json.ts'
import type { Flags } from './options.ts'
import { write } from './streams.ts'

export interface Output {
  /** A line of progress, e.g. `[certs] Generating "ca" certificate and key`. */
  readonly say: (line: string) => void
  /** A line only `--verbose` shows. */
  readonly detail: (line: string) => void
  readonly warn: (line: string) => void
  /** What the command was asked for, complete with its newlines; not silenced by `--quiet`. */
  readonly result: (text: string) => void
  /** What programs want to know, as an event of that kind; people are told in words, so text output leaves it out. */
  readonly event: (kind: string, facts: Readonly<Record<string, Json>>) => void
}

/** An output for the given flags. */
export function openOutput(flags: Pick<Flags, 'output' | 'quiet' | 'verbose'>): Output {
  if (flags.output === 'json') {
    const event = (kind: string, facts: Readonly<Record<string, Json>>): void => {
      write('stdout', `${JSON.stringify({ event: kind, ...facts })}\n`)
    }
    return {
      say: text => event('progress', { text }),
      detail: text => (flags.verbose ? event('detail', { text: maskSecrets(text) }) : undefined),
      warn: text => event('warning', { text: maskSecrets(text) }),
      result: text => event('result', { text }),
      event,
    }
  }
  const print = (line: string): void => {
    write('stdout', `${line}\n`)
  }
  const silent = (): void => {}
  return {
    say: flags.quiet ? silent : print,
    detail: flags.verbose && !flags.quiet ? line => print(maskSecrets(line)) : silent,
    warn: line => {
      write('stderr', `${maskSecrets(line)}\n`)
    },
    result: text => {
      write('stdout', text)
    },
    event: silent,
  }
}
