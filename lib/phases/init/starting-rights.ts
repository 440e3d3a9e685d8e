/**
 * Rights of the controller manager and the scheduler until the API server has made its own roles. Whoever asks
 * before that is refused: a lost election costs 2 to 4.4 s, a refused list 0.8 to 1.6 s, and a scheduler that cannot
 * read the API server's authentication settings treats everybody as anonymous until it is started again.
 */

import type { JsonObject } from '../../base/json.ts'
import type { Api } from '../../cluster/api/api-client.ts'

const NAME = 'kubestep:starting'
const RBAC = 'rbac.authorization.k8s.io'
const FOLDER = `/apis/${RBAC}/v1`
const USERS: readonly string[] = ['system:kube-controller-manager', 'system:kube-scheduler']

/** Reading, as both do it from the first moment, and an election; releases until 1.20 hold theirs with Endpoints too. */
const RULES: readonly JsonObject[] = [
  { apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create', 'update'] },
  { apiGroups: [''], resources: ['endpoints'], verbs: ['create', 'update'] },
]

/** Gives the rights. An API server that refuses is left alone: what the rights are for comes later by itself. */
export async function giveStartingRights(api: Api): Promise<void> {
  const metadata = { name: NAME }
  await Promise.allSettled([
    api.send('POST', `${FOLDER}/clusterroles`, {
      apiVersion: `${RBAC}/v1`,
      kind: 'ClusterRole',
      metadata,
      rules: RULES,
    }),
    api.send('POST', `${FOLDER}/clusterrolebindings`, {
      apiVersion: `${RBAC}/v1`,
      kind: 'ClusterRoleBinding',
      metadata,
      roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: NAME },
      subjects: USERS.map(name => ({ apiGroup: RBAC, kind: 'User', name })),
    }),
  ])
}

/** Takes the rights away again; from `/readyz` on nobody needs them. Throws an ApiError when there is no answer. */
export async function takeStartingRights(api: Api): Promise<void> {
  await Promise.all(
    ['clusterrolebindings', 'clusterroles'].map(kind => api.send('DELETE', `${FOLDER}/${kind}/${NAME}`)),
  )
}
