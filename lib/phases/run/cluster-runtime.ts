/** The runtime of the cluster on this machine. */

import { KubestepError } from '../../base/errors.ts'
import { LAYOUT } from '../../base/paths.ts'
import { clusterSocket } from '../../cluster/diagnose/machine-context.ts'
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
