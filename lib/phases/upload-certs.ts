/** Phase `upload-certs`: puts the CAs and the service account key, encrypted, into the cluster for joining control planes. */

import { randomToken } from '../base/token.ts'
import { type OptionName, PHASE_OPTIONS } from '../cli/options.ts'
import type { Call } from '../cli/script.ts'
import { phaseRow } from '../kubeadm/config/phase-names.ts'
import { clusterObjects } from '../kubeadm/objects/cluster-objects.ts'
import { newCertificateKey } from '../kubeadm/objects/upload-certs-objects.ts'
import type { Phase } from './phase.ts'
import { deliverObjects } from './run/deliver.ts'
import { openPhase } from './run/open-phase.ts'

const OPTIONS: readonly OptionName[] = [
  ...PHASE_OPTIONS,
  'upload-certs',
  'certificate-key',
  'skip-certificate-key-print',
  'cert-dir',
  'kubeconfig',
]

export const uploadCerts: Phase = {
  ...phaseRow('upload-certs'),
  command: {
    name: 'upload-certs',
    about: 'Upload the control plane certificates to the kubeadm-certs Secret.',
    options: OPTIONS,
    examples: ['upload-certs.mts --upload-certs --dry-run --output-dir ./tree'],
  },
  run: async (call: Call): Promise<void> => {
    const { flags, output } = call
    if (!flags['upload-certs']) {
      output.say('[upload-certs] Skipping phase. Please see --upload-certs')
      return
    }
    const phase = openPhase(call)
    const { config, facts, read } = phase
    const key = config.init.certificateKey ?? newCertificateKey()
    const inputs = { caCertificate: '', now: new Date(), upload: { key, token: randomToken(), read } }
    const objects = clusterObjects(config, facts, inputs, ['upload-certs'])
    const messages = [
      '[upload-certs] Storing the certificates in Secret "kubeadm-certs" in the "kube-system" Namespace',
      ...(flags['skip-certificate-key-print'] ? [] : [`[upload-certs] Using certificate key:\n${key}`]),
    ]
    await deliverObjects({ objects, messages }, phase, call)
  },
}
