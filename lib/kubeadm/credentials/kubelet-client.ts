/** The kubelet's client certificate: it renews that itself, but not once it has ended. Then it does not even start. */
import { reasonOf } from '../../base/errors.ts'
import { KUBERNETES } from '../../base/paths.ts'
import { same } from './certificate.ts'
import type { Read } from './credential-store.ts'
import { clientOf, currentContext } from './existing-kubeconfig.ts'
import { validityFault } from './validity.ts'

export interface KubeletClientFault {
  /** Where its certificate lies, or should. */
  readonly path: string
  readonly reason: string
}

/** Why kubelet.conf lets nobody in; undefined where it does, or says how otherwise, or where there is none. */
export function kubeletClientFault(read: Read, now: Date): KubeletClientFault | undefined {
  const { kubeletConf } = KUBERNETES
  const text = read(kubeletConf)
  if (text === undefined) return undefined
  let path: string = kubeletConf
  try {
    const { user } = currentContext(text)
    if (typeof user['client-certificate'] === 'string') path = user['client-certificate']
    else if (user['client-certificate-data'] === undefined) return undefined
    const { certificates, key } = clientOf({ path: kubeletConf, text }, read)
    if (certificates === undefined) return { path, reason: 'it does not exist' }
    const [leaf] = certificates
    const fits = key !== undefined && same(key.publicKey, leaf.publicKey)
    const reason = validityFault(leaf, now) ?? (fits ? undefined : 'its key is missing, or belongs to another one')
    return reason === undefined ? undefined : { path, reason }
  } catch (error) {
    return { path, reason: reasonOf(error) }
  }
}
