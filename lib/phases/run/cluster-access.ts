/** A phase's way into the cluster: by the kubeconfig that its flags name, else by admin.conf. */

import { dirname, resolve } from 'node:path'
import { timerMilliseconds } from '../../base/duration.ts'
import { KubestepError } from '../../base/errors.ts'
import { KUBERNETES } from '../../base/paths.ts'
import type { Call } from '../../cli/script.ts'
import { openAdminApi } from '../../cluster/api/admin-api.ts'
import { type Api, openApi } from '../../cluster/api/api-client.ts'
import { readCredentials } from '../../cluster/api/kubeconfig-credentials.ts'
import type { ClusterAccess } from '../../kubeadm/objects/join-command.ts'
import type { OpenedPhase } from './open-phase.ts'

/**
 * Runs `work` with a client for the cluster, within the time that kubeadm gives API calls. As with kubeadm, the
 * default kubeconfig talks to this node's own API server, a given one to the server that it names.
 */
export async function withApi<Result>(
  { config, read, place }: Pick<OpenedPhase, 'config' | 'read' | 'place'>,
  { flags, name }: Pick<Call, 'flags' | 'name'>,
  work: (api: Api, deadline: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const file = flags.kubeconfig ?? KUBERNETES.adminConf
  const api =
    flags.kubeconfig === undefined && read(KUBERNETES.adminConf) !== undefined
      ? openAdminApi(config, read, dirname(KUBERNETES.adminConf))
      : openApi(readCredentials(kubeconfigText(file, read, name, place), file, read))
  const { timeouts } = config.init
  const deadline = AbortSignal.timeout(timerMilliseconds(flags.timeout ?? timeouts.kubernetesAPICall))
  try {
    return await work(api, deadline)
  } finally {
    api.close()
  }
}

/** Server and CA of the cluster, from admin.conf. Throws a KubestepError when there is none, or it is damaged. */
export function adminAccess(
  { read, place }: Pick<OpenedPhase, 'read' | 'place'>,
  { name, flags }: Call,
): ClusterAccess {
  const file = flags.kubeconfig ?? KUBERNETES.adminConf
  const { server, ca } = readCredentials(kubeconfigText(file, read, name, place), file, read)
  return { server, caCertificate: ca }
}

function kubeconfigText(file: string, read: OpenedPhase['read'], what: string, place: OpenedPhase['place']): string {
  const text = read(resolve(file))
  if (text !== undefined) return text
  throw new KubestepError(
    `${what}: cannot read "${place(resolve(file))}": it does not exist; make it with the kubeconfig script`,
  )
}
