/**
 * The controller manager asks an API server whether it is healthy when it starts, and then every second; what it is for
 * begins with the first good answer. One that starts beside its API server, and so asks a moment too early, is up to a second
 * late. It is stopped before it asks, and goes on when there is something to hear.
 * Source: kubernetes controller-manager/app/helper.go, WaitForAPIServer (v1.18 to v1.36).
 */
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { commandLine } from '../../machine/host/processes.ts'
import type { Cri } from '../../supply/cri/cri-client.ts'
import { containerPid, podContainers } from '../../supply/cri/pod-containers.ts'

const NAME = 'kube-controller-manager'

/** It asks a tenth of a second after it has begun. */
const INTERVAL_MS = 30

/** Stops it when it begins, which may be from `begun` on; gives what lets it go on, in any case. */
export function holdControllerManager(cri: Cri, begun: Promise<unknown>): () => void {
  let [held, isOver]: [number | undefined, boolean] = [undefined, false]
  const letGo = (): void => {
    isOver = true
    process.off('exit', letGo)
    if (held !== undefined) signal(held, 'SIGCONT')
    held = undefined
  }
  // Ctrl-C ends this process from elsewhere.
  process.on('exit', letGo)
  const hold = async (): Promise<void> => {
    await begun
    while (!isOver && held === undefined) {
      const pid = await runningPid(cri)
      // A runtime in another namespace of processes has numbers of its own.
      if (!isOver && pid !== undefined && basename(commandLine(pid)[0] ?? '') === NAME && signal(pid, 'SIGSTOP'))
        held = pid
      await sleep(INTERVAL_MS)
    }
  }
  hold().catch(() => {})
  return letGo
}

async function runningPid(cri: Cri): Promise<number | undefined> {
  const found = (await podContainers(cri)).find(({ name, state }) => name === NAME && state === 'running')
  return found === undefined ? undefined : containerPid(cri, found.id)
}

function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}
