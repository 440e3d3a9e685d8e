/** What outlived its step: a runner that kills the action does not reach what sudo started. */
import { setTimeout as sleep } from 'node:timers/promises'
import { processesWith } from '../machine/host/processes.ts'
import { bundlePath, signal } from './run-as-root.ts'

const POLL_MS = 50
const PATIENCE_MS = 5000

/** What main starts as root and may leave running. */
const STARTED: readonly string[] = ['init', 'load', 'upgrade']

/** Ends all of it that is of this checkout of the action, other runners' on the same machine are left alone; gives whether there was any. */
export async function stopStarted(): Promise<boolean> {
  const paths = STARTED.map(bundlePath)
  const running = (): number[] => paths.flatMap(path => processesWith([path]))
  if (running().length === 0) return false
  signal(running(), 'TERM')
  for (let waited = 0; waited < PATIENCE_MS && running().length > 0; waited += POLL_MS) await sleep(POLL_MS)
  signal(running(), 'KILL')
  for (let waited = 0; waited < PATIENCE_MS && running().length > 0; waited += POLL_MS) await sleep(POLL_MS)
  return true
}
