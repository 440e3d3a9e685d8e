/** Pod sandboxes in a runtime: which there are, and taking ours away. */
import type { Cri } from '../cri/client.ts'
import type { JsonObject } from '../json.ts'

/** Ids of all sandboxes. */
export async function presentSandboxes(cri: Cri): Promise<string[]> {
  const { items } = await cri.call('ListPodSandbox')
  return ((items ?? []) as readonly JsonObject[]).map(sandbox => String(sandbox.id))
}

/** How long one sandbox may take to stop: its containers get their grace period of at most 2 s before they are killed. */
const STOP_LIMIT_MS = 60_000

/** Stops and removes every sandbox but those in `kept`, all at once; gives the number of those that went. */
export async function removeSandboxes(cri: Cri, kept: readonly string[]): Promise<number> {
  const ids = (await presentSandboxes(cri)).filter(id => !kept.includes(id))
  await endSandboxes(cri, ids)
  return ids.length
}

/** Stops and removes sandboxes, all at once. Throws a CriError. */
export async function endSandboxes(cri: Cri, ids: readonly string[]): Promise<void> {
  await Promise.all(
    ids.map(async podSandboxId => {
      await cri.call('StopPodSandbox', { podSandboxId }, STOP_LIMIT_MS)
      await cri.call('RemovePodSandbox', { podSandboxId }, STOP_LIMIT_MS)
    }),
  )
}
