/** Phase `control-plane-prepare/download-certs`: what control plane nodes share, from the cluster. */
import { KubestepError } from '../../base/errors.ts'
import { CERTIFICATES_SECRET, certificateFiles, decrypt } from '../../kubeadm/objects/upload-certs-objects.ts'
import type { FileEntry } from '../../machine/files.ts'
import { deliverFiles } from '../run/deliver.ts'
import type { JoinRun } from './join-run.ts'
import { partOf } from './node-state.ts'
import { readAllowed } from './refused-identity.ts'

const SECRET = `/api/v1/namespaces/kube-system/secrets/${CERTIFICATES_SECRET}`
const UPLOAD_AGAIN =
  'say "upload-certs" on a control plane node, and give the key that it prints with --certificate-key'

/** Source: kubeadm phases/copycerts/copycerts.go (v1.36); an entry that is empty is refused, so that no CA is made here. */
export async function downloadCerts(run: JoinRun): Promise<void> {
  const key = run.config.controlPlane?.certificateKey
  if (key === undefined) return
  const node = await run.node()
  // Without one there is no role for it either.
  const secret = await readAllowed(await run.api(), SECRET)
  if (secret === undefined) {
    throw new KubestepError(
      `download-certs: cannot find Secret "${CERTIFICATES_SECRET}": the cluster keeps it for two hours; ${UPLOAD_AGAIN}`,
    )
  }
  const data = partOf(secret, 'data')
  const faults: string[] = []
  const files = certificateFiles(node.config).flatMap(([name, path]): FileEntry[] => {
    const value = data[name]
    if (typeof value !== 'string' || value === '') {
      faults.push(`"${name}" is not in it`)
      return []
    }
    const text = decrypt(Buffer.from(value, 'base64'), key)
    if (text === undefined) faults.push(`"${name}" does not open with this key`)
    else if (!text.startsWith('-----BEGIN ')) faults.push(`"${name}" is not PEM`)
    return text === undefined ? [] : [{ path, mode: name.endsWith('.key') ? 0o600 : 0o644, content: text }]
  })
  if (faults.length > 0) {
    const made = partOf(secret, 'metadata').creationTimestamp
    throw new KubestepError(
      `download-certs: cannot use Secret "${CERTIFICATES_SECRET}" of ${made}: ${faults.join(', ')}; ${UPLOAD_AGAIN}`,
    )
  }
  const folder = node.config.cluster.certificatesDir
  const messages = [`[download-certs] Saving ${files.length} certificates and keys to "${folder}"`]
  deliverFiles({ files, messages }, node, run.call.output)
}
