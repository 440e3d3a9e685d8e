/** The cluster's API for a node that joins its control plane, by the admin.conf that was made for it. */
import { KubestepError } from '../../base/errors.ts'
import { KUBERNETES } from '../../base/paths.ts'
import { type Api, openApi } from '../../cluster/api/api-client.ts'
import { readCredentials } from '../../cluster/api/kubeconfig-credentials.ts'
import { localUrl } from '../../kubeadm/credentials/kubeconfigs.ts'
import type { OpenedPhase } from '../run/open-phase.ts'

/** Through the endpoint that all share. Throws a KubestepError without admin.conf. */
export function openControlPlaneApi({ read }: Pick<OpenedPhase, 'read'>, server?: string): Api {
  const text = read(KUBERNETES.adminConf)
  if (text === undefined) {
    throw new KubestepError(
      `join: cannot talk to the cluster: there is no "${KUBERNETES.adminConf}"; "join phase control-plane-prepare" makes it`,
    )
  }
  return openApi(readCredentials(text, KUBERNETES.adminConf, read, server))
}

/** This node's own API server. Throws the same. */
export function openLocalApi(node: Pick<OpenedPhase, 'read' | 'config'>): Api {
  return openControlPlaneApi(node, localUrl(node.config))
}
