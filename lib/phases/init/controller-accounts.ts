/**
 * ServiceAccounts of the controllers, made before the controller manager starts. It makes the missing ones itself,
 * three requests each at 20 requests a second, and no controller runs before that: several seconds of mere waiting.
 */

import { isObject, type JsonObject } from '../../base/json.ts'
import type { Api } from '../../cluster/api/api-client.ts'

const NAMESPACE = 'kube-system'

/**
 * Who they are is asked of the API server: the subjects of the bindings that it makes for controllers. What cannot be
 * made is left to the controller manager. Source: kube-controller-manager clientbuilder, RBAC bootstrap policy (v1.36).
 */
export async function makeControllerAccounts(api: Api): Promise<void> {
  const bindings = await api.get(
    '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings?labelSelector=kubernetes.io%2Fbootstrapping%3Drbac-defaults',
  )
  await Promise.all(
    controllerAccounts(bindings ?? {}).map(name =>
      api.send('POST', `/api/v1/namespaces/${NAMESPACE}/serviceaccounts`, {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name, namespace: NAMESPACE },
      }),
    ),
  )
}

/** Names of the accounts in kube-system that a list of ClusterRoleBindings speaks of. */
export function controllerAccounts(bindings: JsonObject): string[] {
  const items = Array.isArray(bindings.items) ? bindings.items : []
  const subjects = items.flatMap(item => (isObject(item) && Array.isArray(item.subjects) ? item.subjects : []))
  const names = subjects
    .filter(subject => isObject(subject) && subject.kind === 'ServiceAccount' && subject.namespace === NAMESPACE)
    .map(subject => String((subject as JsonObject).name))
  return [...new Set(names)].sort()
}
