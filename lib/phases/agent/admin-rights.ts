/** With whose rights a part of the agent works. */
import { KubestepError } from '../../base/errors.ts'
import { KUBERNETES } from '../../base/paths.ts'
import type { Api } from '../../cluster/api/api-client.ts'
import type { AgentContext } from './agent-part.ts'

/** Opens one; it throws a KubestepError while there is no admin.conf. */
export function adminOf({ openAdmin }: AgentContext): () => Api {
  return () => {
    const api = openAdmin()
    if (api === undefined) throw new KubestepError(`agent: cannot read "${KUBERNETES.adminConf}": it is not there`)
    return api
  }
}

/** A client for what every node may read: an administrator's where there is one. */
export function readerOf({ open, openAdmin }: AgentContext): () => Api {
  return () => openAdmin() ?? open()
}

/** Whether this machine may write into the cluster for all; the others do what their own nodes need. */
export function mayWrite({ openAdmin }: AgentContext): boolean {
  const api = openAdmin()
  api?.close()
  return api !== undefined
}
