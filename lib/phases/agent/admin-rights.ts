/** Clients with the rights of an administrator, for parts that only run where those are. */
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
