/** The binding that makes the group in admin.conf administer the cluster; applied first, as super-admin. */
import type { JsonObject } from '../../base/json.ts'
import { isSince, type Version } from '../../base/version.ts'
import { ADMINS_GROUP, clusterRoleBinding, group } from './rbac.ts'

/** Source: kubeadm phases/kubeconfig/kubeconfig.go, EnsureAdminClusterRoleBinding (v1.29). */
const SINCE = '1.29'

/** Nothing before 1.29, where admin.conf was of system:masters itself. */
export function adminObjects(kubeadm: Version): JsonObject[] {
  return isSince(kubeadm, SINCE)
    ? [clusterRoleBinding('kubeadm:cluster-admins', 'cluster-admin', [group(ADMINS_GROUP)])]
    : []
}
