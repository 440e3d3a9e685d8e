/** Ctrl-C and the like: what was started ends first, then a word on what it means, and the exit status that a shell expects. */
import { setTimeout as sleep } from 'node:timers/promises'
import { childrenOf, kill } from '../machine/host/processes.ts'
import { endInstalling, isInstalling } from '../machine/package-manager-run.ts'
import { write } from './streams.ts'

const SIGNALS: readonly (readonly [name: NodeJS.Signals, number: number])[] = [
  ['SIGHUP', 1],
  ['SIGINT', 2],
  ['SIGTERM', 15],
]

/** What ends at once gets so long to do it. The work then has so long to tidy up behind it: all that it does is in its record. */
const CHILDREN_MS = 2000
const TIDYING_MS = 100
const POLL_MS = 20

/**
 * Runs `work`. When the process is told to end meanwhile, programs that were started end first, a package manager in its
 * own time; then `giveBack` is called, `<what>: interrupted; <advice>` goes to standard error, and the status is 128 and
 * the signal's number.
 */
export async function interruptible<Result>(
  what: string,
  advice: string,
  giveBack: () => void,
  work: () => Promise<Result>,
): Promise<Result> {
  let isOver = (): void => {}
  const over = new Promise<void>(resolve => {
    isOver = resolve
  })
  let isInterrupted = false
  const handlers = SIGNALS.map(([name, number]) => {
    const handler = (): void => {
      // Once more does not make it any quicker.
      if (isInterrupted) return
      isInterrupted = true
      void endStarted(what)
        .then(() => Promise.race([over, sleep(TIDYING_MS)]))
        .finally(() => {
          giveBack()
          write('stderr', `${what}: interrupted; ${advice}\n`)
          process.exit(128 + number)
        })
    }
    process.on(name, handler)
    return [name, handler] as const
  })
  try {
    return await work()
  } finally {
    isOver()
    // What fails because its programs were ended is no fault to tell of: the handler ends this process.
    if (isInterrupted) await new Promise(() => {})
    for (const [name, handler] of handlers) process.off(name, handler)
  }
}

/** Ends the programs that this process has started, services of their own left out. */
async function endStarted(what: string): Promise<void> {
  const started = childrenOf(process.pid, { sameSession: true })
  for (const pid of started) {
    try {
      process.kill(pid, 'SIGTERM')
    } catch {
      // Gone already.
    }
  }
  if (isInstalling()) {
    write('stderr', `${what}: waiting for the package manager, which must not be cut off\n`)
    await endInstalling()
  }
  const left = (): number[] => childrenOf(process.pid, { sameSession: true }).filter(pid => started.includes(pid))
  for (let waited = 0; waited < CHILDREN_MS && left().length > 0; waited += POLL_MS) await sleep(POLL_MS)
  await kill(left())
}
