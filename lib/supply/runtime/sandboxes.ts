/** Pod sandboxes in a runtime: which there are, which are a cluster's, and taking those away. */

import type { JsonObject } from '../../base/json.ts'
import type { Cri } from '../cri/cri-client.ts'

/** Ids of all sandboxes. */
export async function presentSandboxes(cri: Cri): Promise<string[]> {
  return (await listSandboxes(cri)).map(({ id }) => String(id))
}

export interface Sandbox {
  readonly id: string
  readonly podUid: string
  readonly containers: readonly string[]
}

/** What a kubelet puts on each of its sandboxes. Source: kubelet types/labels.go (v1.18 to v1.36). */
const POD_UID = 'io.kubernetes.pod.uid'

/** Sandboxes that the cluster's kubelet made: with its labels, and not there before; `all` that are there where the runtime is ours. */
export async function clusterSandboxes(
  cri: Cri,
  { kept, all }: { readonly kept: readonly string[]; readonly all: boolean },
): Promise<Sandbox[]> {
  const [sandboxes, { containers }] = [await listSandboxes(cri), await cri.call('ListContainers')]
  return sandboxes
    .filter(({ id, labels }) => all || (isKubelets(labels) && !kept.includes(String(id))))
    .map(({ id, labels }) => ({
      id: String(id),
      podUid: String((labels as JsonObject | undefined)?.[POD_UID] ?? ''),
      containers: ((containers ?? []) as readonly JsonObject[])
        .filter(({ podSandboxId }) => podSandboxId === id)
        .map(container => String(container.id)),
    }))
}

function isKubelets(labels: unknown): boolean {
  return Boolean((labels as JsonObject | undefined)?.[POD_UID])
}

async function listSandboxes(cri: Cri): Promise<readonly JsonObject[]> {
  const { items } = await cri.call('ListPodSandbox')
  return (items ?? []) as readonly JsonObject[]
}

/** How long one sandbox may take to stop: its containers get their grace period of at most 2 s before they are killed. */
const STOP_LIMIT_MS = 60_000

/** Stops and removes sandboxes, all at once. Throws a CriError when one of them will not go, after the others went. */
export async function endSandboxes(cri: Cri, ids: readonly string[]): Promise<void> {
  const results = await Promise.allSettled(
    ids.map(async podSandboxId => {
      await cri.call('StopPodSandbox', { podSandboxId }, STOP_LIMIT_MS)
      await cri.call('RemovePodSandbox', { podSandboxId }, STOP_LIMIT_MS)
    }),
  )
  for (const result of results) if (result.status === 'rejected') throw result.reason
}
