/** Phase `certs`: the certificates of a control plane, or keys and signing requests for them. */
import { UsageError } from '../base/errors.ts'
import { KUBERNETES } from '../base/paths.ts'
import type { Subcommand } from '../cli/arguments.ts'
import { type OptionName, PHASE_OPTIONS } from '../cli/options.ts'
import type { Call } from '../cli/script.ts'
import { phaseRow } from '../kubeadm/config/phase-names.ts'
import {
  CERTIFICATES,
  type CertificateSpec,
  isLeaf,
  LEAVES,
  SERVICE_ACCOUNT,
} from '../kubeadm/credentials/certificates.ts'
import { ALL_CERTIFICATES } from '../kubeadm/credentials/issue.ts'
import { kubeconfigsOf } from '../kubeadm/credentials/kubeconfigs.ts'
import { issueSigningRequests } from '../kubeadm/credentials/requests.ts'
import { newCertificateKey } from '../kubeadm/objects/upload-certs-objects.ts'
import type { Given, Rendered, RenderingPhase } from './phase.ts'
import { checkExpiration, EXPIRATION_OPTIONS } from './renew/check-expiration.ts'
import { RENEW_SUBCOMMANDS, renewCertificates } from './renew/renew-certificates.ts'
import { deliverFiles } from './run/deliver.ts'
import { givenOf, openPhase } from './run/open-phase.ts'

const BASIC: readonly OptionName[] = [...PHASE_OPTIONS, 'cert-dir', 'feature-gates']
const REQUESTS: readonly OptionName[] = ['csr-only', 'csr-dir']
// What decides about names; the node's name is theirs, too.
const NAMES: readonly OptionName[] = [
  'apiserver-advertise-address',
  'apiserver-cert-extra-sans',
  'control-plane-endpoint',
  'service-cidr',
  'service-dns-domain',
  'node-name',
]

function subcommandOf(spec: CertificateSpec): Subcommand {
  const options = [...BASIC, ...(isLeaf(spec) ? [...NAMES, ...REQUESTS] : [])]
  return { name: spec.name, about: `Generate the ${spec.longName}`, options }
}

const SUBCOMMANDS: readonly Subcommand[] = [
  { name: 'all', about: 'Generate all certificates', options: [...BASIC, ...NAMES, ...REQUESTS] },
  ...CERTIFICATES.map(subcommandOf),
  {
    name: SERVICE_ACCOUNT,
    about: 'Generate a private key for signing service account tokens along with its public key',
    options: BASIC,
  },
  {
    name: 'generate-csr',
    about: 'Generate keys and signing requests for all certificates and kubeconfig files, for a CA elsewhere',
    options: [...BASIC, ...NAMES, 'kubeconfig-dir'],
  },
  { name: 'certificate-key', about: 'Print a random key for the certificates that are uploaded', options: [] },
  {
    name: 'check-expiration',
    about: 'Print when certificates end, and who can renew them; -o json or yaml as an object',
    options: EXPIRATION_OPTIONS,
  },
  ...RENEW_SUBCOMMANDS,
]

export const certs: RenderingPhase = {
  ...phaseRow('certs'),
  command: {
    name: 'certs',
    about: 'Generate the certificates and keys of the control plane; what is there and fits is kept.',
    options: [...BASIC, ...NAMES, ...REQUESTS],
    subcommands: SUBCOMMANDS,
    outputs: ['yaml'],
    examples: [
      'certs.mts all --dry-run --output-dir ./tree',
      'certs.mts apiserver --apiserver-cert-extra-sans localhost,127.0.0.1',
      'certs.mts generate-csr --cert-dir /tmp/pki --kubeconfig-dir /tmp/kubernetes',
    ],
  },
  render: async (
    { issue, config, readCredential: read, place, now }: Given,
    names?: readonly string[],
  ): Promise<Rendered> => {
    const issued = await issue({
      config,
      read,
      place,
      now,
      certificates: ALL_CERTIFICATES.filter(name => names === undefined || names.includes(name)),
      kubeconfigs: [],
      directories: { kubeconfigs: KUBERNETES.folder },
    })
    return { ...issued, folded: 'certificates and keys' }
  },
  run: async (call: Call): Promise<void> => {
    if (call.subcommand === 'generate-csr') return generateRequests(call)
    if (call.subcommand === 'certificate-key') return call.output.result(`${newCertificateKey()}\n`)
    if (call.subcommand === 'check-expiration') return checkExpiration(call)
    if (RENEW_SUBCOMMANDS.some(({ name }) => name === call.subcommand)) return renewCertificates(call)
    if (call.flags['csr-only'] || call.flags['csr-dir'] !== undefined) return requestsOnly(call)
    const opened = openPhase(call)
    const names = call.subcommand === 'all' ? undefined : [call.subcommand]
    deliverFiles(await certs.render(givenOf(opened, call), names), opened, call.output)
  },
}

/** kubeadm's `init phase certs --csr-only`, which it had until 1.21. */
async function requestsOnly(call: Call): Promise<void> {
  const { flags, subcommand, output } = call
  if (!flags['csr-only']) throw new UsageError('certs: cannot use --csr-dir: it goes with --csr-only; add --csr-only')
  const opened = openPhase(call)
  const { cluster } = opened.config
  const requests = await issueSigningRequests({
    config: opened.config,
    read: opened.readCredential,
    place: opened.place,
    leaves: LEAVES.filter(({ authority }) => !(cluster.etcd.external !== undefined && authority === 'etcd-ca'))
      .map(({ name }) => name)
      .filter(name => subcommand === 'all' || subcommand === name),
    kubeconfigs: [],
    directories: { requests: flags['csr-dir'] ?? cluster.certificatesDir, kubeconfigs: KUBERNETES.folder },
    existing: 'keep',
  })
  deliverFiles(requests, opened, output)
}

async function generateRequests(call: Call): Promise<void> {
  const { 'cert-dir': folder, ...flags } = call.flags
  // Here, unlike elsewhere, the folder may stand beside a configuration file.
  const opened = openPhase(flags.config === undefined ? call : { ...call, flags })
  const { config } = opened
  const requests = await issueSigningRequests({
    config,
    read: opened.readCredential,
    place: opened.place,
    leaves: LEAVES.map(({ name }) => name),
    kubeconfigs: kubeconfigsOf(config.kubeadm).map(({ name }) => name),
    directories: {
      requests: folder ?? config.cluster.certificatesDir,
      kubeconfigs: flags['kubeconfig-dir'] ?? KUBERNETES.folder,
    },
    existing: 'refuse',
  })
  deliverFiles(requests, opened, call.output)
}
