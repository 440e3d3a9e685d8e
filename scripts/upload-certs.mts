#!/usr/bin/env -S npx zx
/** Puts the CAs and the service account key, encrypted, into the cluster for joining control planes. */
import { clusterObjects } from '../lib/kubeadm/objects/cluster-objects.ts'
import { deliverObjects } from '../lib/phases/run/deliver-objects.ts'
import { newCertificateKey } from '../lib/kubeadm/objects/upload-certs-objects.ts'
import type { OptionName } from '../lib/cli/options.ts'
import { openPhase, PHASE_OPTIONS } from '../lib/phases/run/open-phase.ts'
import { type Script, script } from '../lib/cli/script.ts'
import { randomToken } from '../lib/base/token.ts'

const OPTIONS: readonly OptionName[] = [
  ...PHASE_OPTIONS,
  'upload-certs',
  'certificate-key',
  'skip-certificate-key-print',
  'cert-dir',
  'kubeconfig',
]

export const uploadCerts: Script = script(
  import.meta,
  {
    name: 'upload-certs',
    about: 'Upload the control plane certificates to the kubeadm-certs Secret.',
    options: OPTIONS,
    examples: ['upload-certs.mts --upload-certs --dry-run --output-dir ./tree'],
  },
  async call => {
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
    await deliverObjects(objects, messages, phase, call)
  },
)
