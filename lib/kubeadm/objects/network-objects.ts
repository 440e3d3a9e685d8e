/** What the Pod network puts into a cluster of several nodes: that nodes may see one another, and that it is there. */
import type { JsonObject } from '../../base/json.ts'
import { configMap } from './config-map.ts'
import {
  BOOTSTRAP_GROUP,
  boundRole,
  clusterRole,
  clusterRoleBinding,
  group,
  NODES_GROUP,
  reading,
  SYSTEM,
} from './rbac.ts'

/** Name of the ConfigMap by which a machine that joins knows whose the Pod network is. */
export const NETWORK_CONFIG_MAP = 'kubestep-network'

const NODES = 'kubestep:nodes'

/**
 * Since 1.32 a kubelet may read its own Node alone (KEP-4601), and routes need all of them. Nothing in a Node is secret.
 */
export function networkObjects(): JsonObject[] {
  const rule = { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch'] }
  return [
    clusterRole(NODES, [rule]),
    clusterRoleBinding(NODES, NODES, [group(NODES_GROUP)]),
    configMap({ name: NETWORK_CONFIG_MAP, namespace: SYSTEM }, { network: 'bridge' }),
    ...boundRole(SYSTEM, `kubestep:${NETWORK_CONFIG_MAP}`, reading('configmaps', NETWORK_CONFIG_MAP), [
      group(BOOTSTRAP_GROUP),
      group(NODES_GROUP),
    ]),
  ]
}
