#!/usr/bin/env -S npx zx
/** Makes the certificates of a control plane, or keys and signing requests for them. */
import type { Subcommand } from '../lib/cli/arguments.ts'
import { UsageError } from '../lib/base/errors.ts'
import { kubeconfigsOf } from '../lib/kubeadm/credentials/kubeconfigs.ts'
import type { OptionName } from '../lib/cli/options.ts'
import { openPhase, PHASE_OPTIONS } from '../lib/phases/run/open-phase.ts'
import { CERTIFICATES, type CertificateSpec, isLeaf, LEAVES, SERVICE_ACCOUNT } from '../lib/kubeadm/credentials/certificates.ts'
import { deliver } from '../lib/phases/run/deliver-files.ts'
import { ALL_CERTIFICATES, issueCredentials } from '../lib/kubeadm/credentials/issue.ts'
import { issueSigningRequests } from '../lib/kubeadm/credentials/requests.ts'
import { type Call, type Script, script } from '../lib/cli/script.ts'

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
]

export const certs: Script = script(
  import.meta,
  {
    name: 'certs',
    about: 'Generate the certificates and keys of the control plane; what is there and fits is kept.',
    options: [...BASIC, ...NAMES, ...REQUESTS],
    subcommands: SUBCOMMANDS,
    examples: [
      'certs.mts all --dry-run --output-dir ./tree',
      'certs.mts apiserver --apiserver-cert-extra-sans localhost,127.0.0.1',
      'certs.mts generate-csr --cert-dir /tmp/pki --kubeconfig-dir /tmp/kubernetes',
    ],
  },
  async call => {
    if (call.subcommand === 'generate-csr') return generateRequests(call)
    if (call.flags['csr-only'] || call.flags['csr-dir'] !== undefined) return requestsOnly(call)
    const phase = openPhase(call)
    const issued = await issueCredentials({
      config: phase.config,
      read: phase.readCredential,
      place: phase.place,
      now: new Date(),
      certificates: ALL_CERTIFICATES.filter(name => call.subcommand === 'all' || call.subcommand === name),
      kubeconfigs: [],
      directories: { kubeconfigs: '/etc/kubernetes' },
    })
    deliver(issued, phase, call.output)
  },
)

/** kubeadm's `init phase certs --csr-only`, which it had until 1.21. */
async function requestsOnly(call: Call): Promise<void> {
  const { flags, subcommand, output } = call
  if (!flags['csr-only']) throw new UsageError('certs: cannot use --csr-dir: it goes with --csr-only; add --csr-only')
  const phase = openPhase(call)
  const externalEtcd = phase.config.cluster.etcd.external !== undefined
  const requests = await issueSigningRequests({
    config: phase.config,
    read: phase.readCredential,
    place: phase.place,
    leaves: LEAVES.filter(({ authority }) => !(externalEtcd && authority === 'etcd-ca'))
      .map(({ name }) => name)
      .filter(name => subcommand === 'all' || subcommand === name),
    kubeconfigs: [],
    directories: { requests: flags['csr-dir'] ?? phase.config.cluster.certificatesDir, kubeconfigs: '/etc/kubernetes' },
    existing: 'keep',
  })
  deliver(requests, phase, output)
}

async function generateRequests(call: Call): Promise<void> {
  const { 'cert-dir': folder, ...flags } = call.flags
  // Here, unlike elsewhere, the folder may stand beside a configuration file.
  const phase = openPhase(flags.config === undefined ? call : { ...call, flags })
  const requests = await issueSigningRequests({
    config: phase.config,
    read: phase.readCredential,
    place: phase.place,
    leaves: LEAVES.map(({ name }) => name),
    kubeconfigs: kubeconfigsOf(phase.config.kubeadm).map(({ name }) => name),
    directories: {
      requests: folder ?? phase.config.cluster.certificatesDir,
      kubeconfigs: flags['kubeconfig-dir'] ?? '/etc/kubernetes',
    },
    existing: 'refuse',
  })
  deliver(requests, phase, call.output)
}
