/** What runs at the moment, so that a screen can show it, and nobody looks at silence without knowing what is waited for. */

/** Something that takes a while. */
export interface Task {
  /** How far it is, or what it waits for. */
  readonly tell: (how: string) => void
  /** It has come to its end; a line says so. */
  readonly done: (line?: string) => void
}

export interface Tasks {
  readonly begin: (what: string, done: (line?: string) => void) => Task
  /** Something has been said: silence begins anew. */
  readonly spoke: () => void
  /** What runs, one after the other, as people read it; empty when nothing does. */
  readonly text: () => string
}

/** After so long without a word somebody wonders. */
export const SILENCE_MS = 10_000

/** What is over sooner need not be explained. */
const EXPLAINED_AFTER_MS = 3_000

/** How often it is looked whether it has been silent for too long. */
const LOOK_MS = 1000

/**
 * `onChange` is called when what runs may have changed, `onSilence` with what is waited for when nothing has been said for
 * a while. `now` is a clock in milliseconds.
 */
export function openTasks(
  onChange: () => void,
  onSilence: (text: string) => void,
  now: () => number = () => performance.now(),
): Tasks {
  const running = new Map<symbol, { readonly what: string; readonly since: number; readonly how: string }>()
  let spokenAt = now()
  let timer: NodeJS.Timeout | undefined
  const text = (): string =>
    [...running.values()]
      .map(({ what, how, since }) => (how === '' || now() - since < EXPLAINED_AFTER_MS ? what : `${what}: ${how}`))
      .join('; ')
  const look = (): void => {
    // By now there may be something to explain.
    onChange()
    if (running.size === 0 || now() - spokenAt < SILENCE_MS) return
    const since = Math.min(...[...running.values()].map(one => one.since))
    onSilence(`${Math.round((now() - since) / 1000)} s: ${text()}`)
    spokenAt = now()
  }
  const begin = (what: string, done: (line?: string) => void): Task => {
    const key = Symbol(what)
    running.set(key, { what, since: now(), how: '' })
    timer ??= setInterval(look, LOOK_MS).unref()
    onChange()
    return {
      tell: how => {
        const task = running.get(key)
        if (task === undefined || task.how === how) return
        running.set(key, { ...task, how })
        onChange()
      },
      done: line => {
        if (!running.delete(key)) return
        if (running.size === 0) {
          clearInterval(timer)
          timer = undefined
        }
        onChange()
        done(line)
      },
    }
  }
  return {
    begin,
    spoke: () => {
      spokenAt = now()
    },
    text,
  }
}
