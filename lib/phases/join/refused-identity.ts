/** What it means that the API server of the cluster does not let this machine read what everybody who joins may read. */
import { KubestepError } from '../../base/errors.ts'
import type { JsonObject } from '../../base/json.ts'
import { type Api, ApiError } from '../../cluster/api/api-client.ts'
import type { DiscoveredCluster } from '../../cluster/discovery/discovered-cluster.ts'
import { BOOTSTRAP_GROUP } from '../../kubeadm/objects/rbac.ts'

const NEW_TOKEN = 'make one with "token create --print-join-command" on a control plane node'

/** The error that says so; others stay as they are. */
export function explained(error: unknown, { server, identity: { token } }: DiscoveredCluster): unknown {
  if (!(error instanceof ApiError)) return error
  const who = token === undefined ? 'the client certificate' : `token "${token.split('.')[0]}"`
  const say = (reason: string): KubestepError =>
    new KubestepError(`join: cannot join "${server}" with ${who}: ${reason}`, { cause: error })
  if (error.status === 401) return say(`it is unknown there or has expired; ${NEW_TOKEN}`)
  if (error.status === 403)
    return say(`it has no rights there, for which it needs the group ${BOOTSTRAP_GROUP}; ${NEW_TOKEN}`)
  return error
}

/** What clusters of kubestep let machines read that join; undefined where this one does not, or it is not there. Throws an ApiError. */
export async function readAllowed(api: Api, path: string): Promise<JsonObject | undefined> {
  try {
    return await api.get(path)
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return undefined
    throw error
  }
}
