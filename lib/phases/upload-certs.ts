/** Phase `upload-certs`: puts the CAs and the service account key, encrypted, into the cluster for joining control planes. */

import { Reason } from '../base/errors.ts'
import { type OptionName, PHASE_OPTIONS } from '../cli/options.ts'
import type { Call } from '../cli/script.ts'
import { phaseRow } from '../kubeadm/config/phase-names.ts'
import { isExternalAuthority } from '../kubeadm/credentials/issue.ts'
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
  objects: (given: Given): Applied => {
    const { config, upload, readCredential, now } = given
    if (upload === undefined) return { objects: [], messages: [] }
    // Alone it takes what there is.
    if (given.runs('upload-certs')) refuseExternal(given)
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

/** Source: kubeadm cmd/init.go (v1.36): what cannot be signed elsewhere must not be promised to joining nodes. */
function refuseExternal({ config, readCredential, place }: Given): void {
  const external = (['ca', 'front-proxy-ca'] as const).find(name => isExternalAuthority(config, name, readCredential))
  if (external === undefined) return
  const key = place(`${config.cluster.certificatesDir}/${external}.key`)
  throw new Reason(`cannot upload certificates: "${key}" is kept elsewhere (external CA); leave --upload-certs out`)
}
