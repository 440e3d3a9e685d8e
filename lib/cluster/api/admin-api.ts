/** A client for the cluster that is coming up, with rights from its first moment. */

import { setTimeout as sleep } from 'node:timers/promises'
import { Reason, WaitError } from '../../base/errors.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { localUrl } from '../../kubeadm/credentials/kubeconfigs.ts'
import { type Api, openApi } from './api-client.ts'
import { readCredentials } from './kubeconfig-credentials.ts'

const API_POLL_MS = 50

/**
 * Since 1.29 admin.conf has no rights until its binding exists, so super-admin.conf is taken where there is one.
 * It talks to this node's own API server, whatever the common endpoint is. Throws a Reason without either.
 */
export function openAdminApi(config: InitConfig, read: (path: string) => string | undefined, folder: string): Api {
  for (const name of ['super-admin.conf', 'admin.conf']) {
    const path = `${folder}/${name}`
    const text = read(path)
    if (text !== undefined) return openApi(readCredentials(text, path, read, localUrl(config)))
  }
  throw new Reason(`cannot talk to the API server: there is no admin.conf in "${folder}"; do not skip kubeconfig/admin`)
}

/**
 * Waits until the API server answers at all, or says at `/readyz` that it is ready; `onLook` hears what is in the way.
 * Throws a WaitError when the deadline comes first.
 */
export async function waitForApi(
  api: Api,
  deadline: AbortSignal,
  path: '/version' | '/readyz' = '/version',
  onLook: (reason: string) => void = () => {},
): Promise<void> {
  for (;;) {
    const answer = await api.send('GET', path).catch((error: unknown) => error as Error)
    if (!(answer instanceof Error) && answer.status === 200) return
    const reason = answer instanceof Error ? answer.message : `it says ${answer.status}`
    if (deadline.aborted) throw new WaitError(`cannot reach the API server in time: ${reason}`)
    onLook(reason)
    await sleep(API_POLL_MS)
  }
}
