/** An init that outlived its step: a runner that kills the action does not reach what sudo started. */
import { setTimeout as sleep } from 'node:timers/promises'
import { processesWith } from '../host/processes.ts'
import { bundlePath, signal } from './root.ts'

const POLL_MS = 50
const PATIENCE_MS = 5000

/** Ends every init of this checkout of the action, other runners' on the same machine are left alone; gives whether there was one. */
export async function stopInit(): Promise<boolean> {
  const path = bundlePath('init')
  const running = (): number[] => processesWith([path])
  if (running().length === 0) return false
  signal(running(), 'TERM')
  for (let waited = 0; waited < PATIENCE_MS && running().length > 0; waited += POLL_MS) await sleep(POLL_MS)
  signal(running(), 'KILL')
  for (let waited = 0; waited < PATIENCE_MS && running().length > 0; waited += POLL_MS) await sleep(POLL_MS)
  return true
}
