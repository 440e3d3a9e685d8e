/**
 * The RootlessControlPlane gate: which user each component runs as. A dry run only says what it would do,
 * since the ids are those that a real run creates in /etc/passwd. Source: kubeadm util/staticpod/utils_linux.go (1.22.4, v1.36).
 */

import { KubestepError } from '../../base/errors.ts'
import type { JsonObject } from '../../base/json.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { isSince } from '../../base/version.ts'
import type { ComponentName } from './static-pods.ts'

const GATE = 'RootlessControlPlane'

/** User and group of a component. */
export interface ComponentUser {
  readonly user: number
  readonly group: number
}

/** The ids that a real run has created. */
export interface RootlessIds {
  readonly components: Readonly<Record<ComponentName, ComponentUser>>
  /** The group that may read sa.key. */
  readonly serviceAccountKeyReaders: number
}

interface Privileges {
  readonly readsServiceAccountKey: boolean
  readonly container: JsonObject
}

const UNPRIVILEGED: JsonObject = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } }

/** What each component may do. */
export const PRIVILEGES: Readonly<Record<ComponentName, Privileges>> = {
  etcd: { readsServiceAccountKey: false, container: UNPRIVILEGED },
  'kube-apiserver': {
    readsServiceAccountKey: true,
    // The binary carries this as a file capability and does not start without it.
    container: { capabilities: { add: ['NET_BIND_SERVICE'], drop: ['ALL'] } },
  },
  'kube-controller-manager': { readsServiceAccountKey: true, container: UNPRIVILEGED },
  'kube-scheduler': { readsServiceAccountKey: false, container: UNPRIVILEGED },
}

/** Whether the configuration asks for components that do not run as root. The gate came with 1.22. */
export function isRootless({ cluster, kubeadm }: InitConfig): boolean {
  return (cluster.featureGates?.[GATE] ?? false) && isSince(kubeadm, '1.22')
}

/** What a dry run says instead of making users; kubeadm's dry run, too, leaves the manifest as it is. */
export function rootlessNotice(component: ComponentName): string {
  return `static-pod: ${component} is written to run as root: a real run would make users for the feature gate "${GATE}" and name them here`
}

/**
 * Throws a KubestepError where the gate is on and the users are not there: a Pod that keeps running as root
 * is not what was asked for.
 */
export function refuseRootless(phase: string, config: InitConfig): void {
  if (!isRootless(config)) return
  throw new KubestepError(
    `${phase}: cannot write manifests for feature gate "${GATE}": making its users and groups is not done yet; take the gate out, or use --dry-run to see the rest`,
  )
}

/** Security contexts of the Pod (to be merged) and of its container. */
export function rootlessContexts(
  component: ComponentName,
  ids: RootlessIds,
): { pod: JsonObject; container: JsonObject } {
  const { readsServiceAccountKey, container } = PRIVILEGES[component]
  const { user, group } = ids.components[component]
  return {
    pod: {
      runAsUser: user,
      runAsGroup: group,
      supplementalGroups: readsServiceAccountKey ? [ids.serviceAccountKeyReaders] : undefined,
    },
    container,
  }
}
