/** What a cluster of several nodes has for those that join: that nodes may see one another, and what is to run on each. */

import type { PodNetwork } from '../../base/defaults.ts'
import { isObject, type JsonObject, objectOf } from '../../base/json.ts'
import type { AddonName } from './addon-objects.ts'
import { configMap } from './config-map.ts'
import {
  BOOTSTRAP_GROUP,
  boundRole,
  clusterRole,
  clusterRoleBinding,
  group,
  NODES_GROUP,
  type Rule,
  reading,
  SYSTEM,
} from './rbac.ts'

/** What a machine that joins has to know. */
export interface SharedSettings {
  readonly network: PodNetwork
  /** Addons with what each was set up with. */
  readonly addons: Readonly<Partial<Record<AddonName, JsonObject>>>
  /** Where the registry of the cluster is found, in the form of --mirror. */
  readonly registry?: string
}

/** Name of the ConfigMap with them. */
const NAME = 'kubestep-network'
export const SHARED_SETTINGS: string = `/api/v1/namespaces/${SYSTEM}/configmaps/${NAME}`

const NODES = 'kubestep:nodes'

/** A machine that is about to join looks whether it shares a network with the nodes. Nothing in a Node is secret. */
const NEIGHBOURS = 'kubestep:neighbours'
const READ = ['get', 'list', 'watch']

/** What every node reads besides Nodes, which since 1.32 it may not by itself (KEP-4601). */
const READS: Readonly<Record<AddonName, readonly Rule[]>> = {
  storage: [{ apiGroups: [''], resources: ['persistentvolumes'], verbs: READ }],
  'load-balancer': [],
  'network-policy': [
    { apiGroups: [''], resources: ['namespaces', 'pods'], verbs: READ },
    { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: READ },
  ],
}

export function networkObjects({ network, addons, registry }: SharedSettings): JsonObject[] {
  const rules = Object.keys(addons).flatMap(name => READS[name as AddonName])
  const data = { network, addons: JSON.stringify(addons), ...(registry !== undefined && { registry }) }
  return [
    clusterRole(NODES, [{ apiGroups: [''], resources: ['nodes'], verbs: READ }, ...rules]),
    clusterRoleBinding(NODES, NODES, [group(NODES_GROUP)]),
    clusterRole(NEIGHBOURS, [{ apiGroups: [''], resources: ['nodes'], verbs: ['list'] }]),
    clusterRoleBinding(NEIGHBOURS, NEIGHBOURS, [group(BOOTSTRAP_GROUP)]),
    configMap({ name: NAME, namespace: SYSTEM }, data),
    ...boundRole(SYSTEM, `kubestep:${NAME}`, reading('configmaps', NAME), [group(BOOTSTRAP_GROUP), group(NODES_GROUP)]),
  ]
}

/** Reads the ConfigMap; without it a cluster shares nothing. */
export function readShared(object: JsonObject | undefined): SharedSettings {
  const { network, addons, registry } = objectOf(object?.data)
  const parts: unknown = typeof addons === 'string' ? JSON.parse(addons) : {}
  return {
    network: network === 'bridge' ? 'bridge' : 'none',
    addons: isObject(parts) ? (parts as SharedSettings['addons']) : {},
    ...(typeof registry === 'string' && { registry }),
  }
}
