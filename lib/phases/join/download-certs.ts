/** Phase `control-plane-prepare/download-certs`: what control plane nodes share, from the cluster. */
import { KubestepError } from '../../base/errors.ts'
import { CERTIFICATES_SECRET, openCertificates } from '../../kubeadm/objects/upload-certs-objects.ts'
import { deliverFiles } from '../run/deliver.ts'
import type { JoinRun } from './join-run.ts'
import { partOf } from './node-state.ts'
import { readAllowed } from './refused-identity.ts'

const SECRET = `/api/v1/namespaces/kube-system/secrets/${CERTIFICATES_SECRET}`
const UPLOAD_AGAIN =
  'say "upload-certs" on a control plane node, and give the key that it prints with --certificate-key'

/** Source: kubeadm phases/copycerts/copycerts.go (v1.36), which passes over every entry that is empty, and makes another CA then. */
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
  const { files, faults } = openCertificates(data, node.config, key)
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
