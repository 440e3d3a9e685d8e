/** The runtime of the cluster on this machine. */

import { KubestepError } from '../../base/errors.ts'
import { LAYOUT } from '../../base/paths.ts'
import { clusterSocket } from '../../cluster/diagnose/machine-context.ts'
import { isLocalNode, localNodes, pidOf, runOfNode } from '../../machine/local-node/local-node.ts'
import { openRuntime, type Runtime } from '../../supply/runtime/runtime.ts'
import { socketUrl } from '../../supply/runtime/runtime-choice.ts'

/** Opens it; `wanted` is what --runtime says. Throws a KubestepError when there is none, or it does not answer. */
export async function openClusterRuntime(wanted = 'auto'): Promise<Runtime> {
  const own = LAYOUT.containerd.url
  const socket = wanted === 'private' ? own : wanted === 'auto' ? clusterSocket() : wanted
  if (socket === undefined) {
    throw new KubestepError(
      'load: cannot find the runtime: there is no cluster on this machine; bring one up with the init script, or name a socket with --runtime',
    )
  }
  const url = socketUrl(socket)
  return openRuntime(url, url === own)
}

/** The runtimes of further nodes on this machine that run. They have sockets of their own, which are seen from here. */
export async function openNodeRuntimes(): Promise<Runtime[]> {
  if (isLocalNode()) return []
  const running = localNodes().filter(node => pidOf(node) !== undefined)
  return Promise.all(
    running.map(({ name }) => openRuntime(`unix://${runOfNode(name, LAYOUT.containerd.socket)}`, true)),
  )
}
