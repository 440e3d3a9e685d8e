/** Certificates of this node made anew: `certs renew`. */
import { resolve } from 'node:path'
import { KubestepError, UsageError } from '../../base/errors.ts'
import { KUBERNETES } from '../../base/paths.ts'
import type { Subcommand } from '../../cli/arguments.ts'
import type { OptionName } from '../../cli/options.ts'
import type { Call } from '../../cli/script.ts'
import { openStore } from '../../kubeadm/credentials/credential-store.ts'
import { held } from '../../kubeadm/credentials/expiration.ts'
import { kubeletClientFault } from '../../kubeadm/credentials/kubelet-client.ts'
import { KUBELET_CLIENT, RENEWABLES, type Renewable, renewablesOf } from '../../kubeadm/credentials/renewable.ts'
import { absenceOf, type RenewalRequest, renewCredentials } from '../../kubeadm/credentials/renewal.ts'
import { issueRenewalRequests } from '../../kubeadm/credentials/requests.ts'
import { below, readFile, writeFiles, writeLink } from '../../machine/files.ts'
import { finalFiles } from '../kubelet-finalize.ts'
import { type LiveConfig, liveConfig } from '../run/live-config.ts'
import { alone } from '../run/machine-session.ts'
import { type Restart, startAgain, takersOf } from './certificate-users.ts'

const OPTIONS: readonly OptionName[] = [
  'config',
  'cert-dir',
  'kubeconfig',
  'root',
  'rebuild-names',
  'csr-only',
  'csr-dir',
  'skip-restart',
  'timeout',
]

const ALL = 'renew all'

export const RENEW_SUBCOMMANDS: readonly Subcommand[] = [
  { name: ALL, about: 'Renew all certificates, and start again what does not take them by itself', options: OPTIONS },
  ...RENEWABLES.map(({ name, longName }) => ({
    name: `renew ${name}`,
    about: `Renew the ${longName}`,
    options: OPTIONS,
  })),
]

/** Throws a KubestepError with all faults, before anything is written; or one that says what does not come up again. */
export async function renewCertificates(call: Call): Promise<void> {
  const { flags, output } = call
  const root = resolve(flags.root ?? '/')
  if (flags['csr-dir'] !== undefined && !flags['csr-only']) {
    throw new UsageError('certs: cannot use --csr-dir: it goes with --csr-only; add --csr-only')
  }
  if (flags['csr-only'] && flags['csr-dir'] === undefined) {
    throw new UsageError('certs: cannot make signing requests: --csr-dir has to say where; add it')
  }
  const live = await liveConfig(call, 'renew', output.say)
  const request = requestOf(call, live)
  if (flags['csr-only']) return requestsOnly(request, call)
  if (root !== '/' || process.getuid?.() !== 0) return void (await renew(request, call, root))
  const advice = 'what is renewed is whole; run it again for the rest'
  await alone('certs', advice, async () => {
    const there = rowsThere(request)
    const written = await renew(request, call, root)
    if (written.length > 0) await startAgain(restartOf(there, written, request), live, call)
  })
}

function requestOf({ flags, subcommand }: Call, { config, from, read, root }: LiveConfig): RenewalRequest {
  const all = subcommand === ALL
  const named = RENEWABLES.filter(({ name }) => subcommand === `renew ${name}`)
  for (const row of named) {
    const reason = absenceOf(row, config)
    if (reason !== undefined) throw new KubestepError(`certs: cannot renew ${row.name}: ${reason}`)
  }
  const rebuildNames = flags['rebuild-names'] ?? false
  if (rebuildNames && from === 'node') {
    throw new KubestepError(
      'certs: cannot rebuild the names: the configuration of the cluster cannot be read, and names would be lost; name a file with --config',
    )
  }
  const now = new Date()
  // Its signing request would be no use: who has the CA elsewhere makes it with its kubeconfig.
  const isShutOut = !flags['csr-only'] && kubeletClientFault(read, now) !== undefined
  return {
    config,
    read,
    place: path => below(root, path),
    now,
    rows: all ? [...renewablesOf(config), ...(isShutOut ? [KUBELET_CLIENT] : [])] : named,
    all,
    rebuildNames,
    kubeconfigs: KUBERNETES.folder,
  }
}

/** Writes all of them or none, and says what was done; gives the paths. */
async function renew(request: RenewalRequest, { output }: Call, root: string): Promise<readonly string[]> {
  const { files: renewed, messages, warnings } = await renewCredentials(request)
  for (const warning of warnings) output.warn(warning)
  const hasKubelet = renewed.some(({ path }) => path === KUBERNETES.kubeletConf)
  // As in an init, it lies where the kubelet itself puts the next one.
  const final = hasKubelet ? finalFiles(request.config, renewed, request.read, request.now) : undefined
  const { files, link } = final ?? { files: renewed }
  // Not recorded: a reset that brings old certificates back helps nobody, and in a cluster of init's all of it goes.
  writeFiles(root, files)
  if (link !== undefined) writeLink(root, link.path, link.target)
  for (const message of messages) output.say(message)
  return files.map(({ path }) => path)
}

/** What is about to be renewed, with when it ends now. */
function rowsThere({ rows, config, kubeconfigs, read }: RenewalRequest): (readonly [row: Renewable, end?: Date])[] {
  const store = openStore(config.cluster.certificatesDir, read)
  return rows.map(row => {
    const { certificate } = held(row, store, kubeconfigs, read)
    return certificate.state === 'there' ? [row, certificate.value.notAfter] : [row]
  })
}

/** Who uses what was written; what an external CA has signed was not. */
function restartOf(
  there: ReturnType<typeof rowsThere>,
  written: readonly string[],
  { config, kubeconfigs, read, now }: RenewalRequest,
): Restart {
  const store = openStore(config.cluster.certificatesDir, read)
  const pathOf = (row: Renewable): string =>
    'leaf' in row ? store.path(row.leaf.baseName, 'crt') : `${kubeconfigs}/${row.name}`
  const renewed = there.filter(([row]) => written.includes(pathOf(row)))
  return {
    pods: takersOf(renewed, config, read, now),
    kubelet: written.includes(KUBERNETES.kubeletConf),
    admin: written.includes(KUBERNETES.adminConf),
  }
}

async function requestsOnly(request: RenewalRequest, { flags, output }: Call): Promise<void> {
  const folder = resolve(flags['csr-dir'] ?? '.')
  const read: RenewalRequest['read'] = path =>
    path.startsWith(`${folder}/`) ? readFile('/', path) : request.read(path)
  const { files, messages } = await issueRenewalRequests({ ...request, read, folder })
  writeFiles('/', files)
  for (const message of messages) output.say(message)
}
