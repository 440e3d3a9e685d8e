/** Phase `upload-certs`: puts the CAs and the service account key, encrypted, into the cluster for joining control planes. */

import { type OptionName, PHASE_OPTIONS } from '../cli/options.ts'
import type { Call } from '../cli/script.ts'
import { phaseRow } from '../kubeadm/config/phase-names.ts'
import { created } from '../kubeadm/objects/cluster-object.ts'
import { uploadCertsObjects } from '../kubeadm/objects/upload-certs-objects.ts'
import type { Applied, ApplyingPhase, Given } from './phase.ts'
import { deliverObjects } from './run/deliver.ts'
import { givenOf, openPhase } from './run/open-phase.ts'
import { unpatched } from './run/user-patches.ts'

const OPTIONS: readonly OptionName[] = [
  ...PHASE_OPTIONS,
  'upload-certs',
  'certificate-key',
  'skip-certificate-key-print',
  'cert-dir',
  'kubeconfig',
]

export const uploadCerts: ApplyingPhase = {
  ...phaseRow('upload-certs'),
  command: {
    name: 'upload-certs',
    about: 'Upload the control plane certificates to the kubeadm-certs Secret.',
    options: OPTIONS,
    examples: ['upload-certs.mts --upload-certs --dry-run --output-dir ./tree'],
  },
  objects: ({ config, upload, readCredential, now }: Given): Applied => {
    if (upload === undefined) return { objects: [], messages: [] }
    return {
      objects: created('upload-certs', uploadCertsObjects(config, upload, readCredential, now), config.kubeadm),
      messages: ['[upload-certs] Storing the certificates in Secret "kubeadm-certs" in the "kube-system" Namespace'],
    }
  },
  run: async (call: Call): Promise<void> => {
    const { flags, output } = call
    if (!flags['upload-certs']) {
      output.say('[upload-certs] Skipping phase. Please see --upload-certs')
      return
    }
    const opened = openPhase(call)
    // Alone it takes what there is, in a dry run too.
    const given = { ...givenOf(opened, call, unpatched), readCredential: opened.read }
    const { objects, messages } = uploadCerts.objects(given)
    const using = flags['skip-certificate-key-print']
      ? []
      : [`[upload-certs] Using certificate key:\n${given.upload?.key}`]
    await deliverObjects({ objects, messages: [...messages, ...using] }, opened, call)
  },
}
