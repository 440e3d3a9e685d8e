/** How a node takes leave of those that stay: its vote in etcd goes, and its Node is not Ready any more. */
import { KUBERNETES } from '../../base/paths.ts'
import { openApi } from '../../cluster/api/api-client.ts'
import { patchObject } from '../../cluster/api/apply-object.ts'
import { readCredentials } from '../../cluster/api/kubeconfig-credentials.ts'
import { entryOf } from '../../cluster/discovery/discovered-cluster.ts'
import { readFile } from '../../machine/files.ts'
import type { Change } from '../../machine/journal.ts'
import { KUBELET } from '../../machine/service/kubelet-service.ts'
import { serviceManager } from '../../machine/service/manager.ts'
import { nodeName } from '../run/live-config.ts'
import { type Leaving, leaveEtcd } from './leave-etcd.ts'

/**
 * Leaves; a cluster of which this node is the only control plane ends with it. `changes` are what is undone next.
 * Throws a KubestepError when etcd does not let it go.
 */
export async function leaveCluster(changes: readonly Change[], leaving: Leaving): Promise<void> {
  const isAlone = await leaveEtcd(leaving)
  const runs = changes.some(change => change.kind === 'service' && change.name === KUBELET)
  if (isAlone || leaving.dryRun || !runs) return
  const name = nodeName(read)
  if (name === undefined) return
  await serviceManager().stop(KUBELET)
  if (await tellNotReady(name))
    leaving.say(`[reset] The cluster keeps Node "${name}", which is not Ready now: kubectl delete node ${name}`)
}

const read = (path: string): string | undefined => readFile('/', path)

/** The cluster would believe for 40 seconds that it is Ready, and take nobody in under its name. */
const LIMIT_MS = 3_000

/** A kubelet may say this of its Node and may not delete it. Gives whether it was heard. */
async function tellNotReady(name: string): Promise<boolean> {
  const { kubeletConf, adminConf } = KUBERNETES
  try {
    // A control plane node's own API server goes with it.
    const shared = read(adminConf)
    const server = shared === undefined ? undefined : String(entryOf(shared, adminConf).cluster.server)
    const api = openApi(readCredentials(read(kubeletConf) ?? '', kubeletConf, read, server))
    const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
    const times = { lastHeartbeatTime: now, lastTransitionTime: now }
    const ready = { type: 'Ready', status: 'False', reason: 'NodeReset', message: 'this node was reset', ...times }
    const patch = { status: { conditions: [ready] } }
    await patchObject(api, `/api/v1/nodes/${name}/status`, patch, AbortSignal.timeout(LIMIT_MS)).finally(api.close)
    return true
  } catch {
    return false
  }
}
