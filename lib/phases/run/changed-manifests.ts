/**
 * Static Pods whose manifest was changed before the API server ever answered. The kubelet deletes no Pod until all of
 * its sources have reported, the API server among them, and does not start the new version of a static Pod before the
 * old one is deleted: without help the changed API server waits for itself.
 * Source: kubelet deletePod and allowPodStart (v1.36): "skipping delete because sources aren't ready yet".
 */

import { statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { KUBERNETES } from '../../base/paths.ts'
import type { Api } from '../../cluster/api/api-client.ts'
import { type DiagnosisContext, STATIC_PODS } from '../../cluster/diagnose/diagnosis-context.ts'
import { KUBELET } from '../../machine/service/kubelet-service.ts'
import { openCri } from '../../supply/cri/cri-client.ts'
import { type PodContainer, podContainers } from '../../supply/cri/pod-containers.ts'
import { endSandboxes } from '../../supply/runtime/sandboxes.ts'

const INTERVAL_MS = 1000

/** How long a kubelet that can may take: it sees a changed file at once, and gives what runs 30 s to end. */
const PATIENCE_MS = { exited: 5_000, running: 40_000 } as const

/** When each manifest was written; milliseconds since 1970. Those that are not there are absent. */
export type ManifestTimes = Readonly<Record<string, number>>

/**
 * The newest container of each static Pod that still is what an older manifest said, `now` being too late for the
 * kubelet to change that by itself. `containers` are the newest first.
 */
export function heldUp(containers: readonly PodContainer[], written: ManifestTimes, now: number): PodContainer[] {
  return STATIC_PODS.flatMap(name => {
    const newest = containers.find(container => container.name === name && container.namespace === 'kube-system')
    const changedAt = written[name]
    if (newest === undefined || changedAt === undefined || newest.createdAt / 1e6 > changedAt) return []
    return now - changedAt > PATIENCE_MS[newest.state === 'running' ? 'running' : 'exited'] ? [newest] : []
  })
}

/**
 * Until the signal fires or the API server answers: clears old versions of changed static Pods away and starts the
 * kubelet again, so that it takes the new ones; `say` is told. Never throws.
 */
export async function helpChanged(
  { services, cri: runtime }: DiagnosisContext,
  api: Api,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<void> {
  if (runtime === undefined) return
  for (;;) {
    await sleep(INTERVAL_MS, undefined, { signal }).catch(() => {})
    if (signal.aborted) return
    const answered = await api.send('GET', '/version').catch(() => undefined)
    if (answered !== undefined) return
    await help().catch(() => {})
  }

  async function help(): Promise<void> {
    const cri = await openCri(runtime?.socket ?? '')
    try {
      const old = heldUp(await podContainers(cri), manifestTimes(), Date.now())
      if (old.length === 0 || !(await services.isRunning(KUBELET))) return
      const names = old.map(({ name }) => name).join(', ')
      say(`[wait-control-plane] Starting the kubelet again, so that it takes the changed ${names}`)
      await services.stop(KUBELET)
      await endSandboxes(
        cri,
        old.map(({ sandbox }) => sandbox),
      )
      await services.restart(KUBELET)
    } finally {
      cri.close()
    }
  }
}

function manifestTimes(): ManifestTimes {
  return Object.fromEntries(
    STATIC_PODS.flatMap(name => {
      const found = statSync(`${KUBERNETES.manifests}/${name}.yaml`, { throwIfNoEntry: false })
      return found === undefined ? [] : [[name, found.mtimeMs]]
    }),
  )
}
