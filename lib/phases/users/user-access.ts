/** Access for a further user of the cluster: `kubeconfig user`. */
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { DEFAULT_VALIDITY } from '../../base/defaults.ts'
import { durationMilliseconds } from '../../base/duration.ts'
import { UsageError } from '../../base/errors.ts'
import type { Subcommand } from '../../cli/arguments.ts'
import { openOutput } from '../../cli/output.ts'
import type { Call } from '../../cli/script.ts'
import { clientKubeconfig, UNSAFE_GROUPS } from '../../kubeadm/credentials/client-kubeconfig.ts'
import { below } from '../../machine/files.ts'
import { writePieces } from '../../machine/streamed-file.ts'
import { liveConfig } from '../run/live-config.ts'

export const USER_SUBCOMMAND: Subcommand = {
  name: 'user',
  about: 'Print a kubeconfig for a further user, with a certificate of its own or a token',
  options: [
    'client-name',
    'org',
    'token',
    'validity-period',
    'allow-unsafe-groups',
    'out',
    'config',
    'cert-dir',
    'kubeconfig',
    'root',
  ],
}

/**
 * The kubeconfig alone on stdout, or in a file of its own. Throws a UsageError for what would be unsafe, else what reading
 * and signing throw.
 */
export async function printUserKubeconfig(call: Call): Promise<void> {
  const { flags, output } = call
  const { 'client-name': name = '', 'validity-period': period, token, out } = flags
  const groups = (flags.org ?? '').split(',').filter(Boolean)
  const faults = userFaults(name, groups, flags)
  if (faults.length > 0) throw new UsageError(faults.map(fault => `kubeconfig: ${fault}`).join('\n'))
  if (token !== undefined && (groups.length > 0 || period !== undefined)) {
    output.warn(
      'kubeconfig: --org and --validity-period are for a certificate: what a token may do is decided elsewhere',
    )
  }
  const silent = { ...output, say: (): void => {} }
  const { config, from, read, root } = await liveConfig({ ...call, output: silent }, 'kubeconfig', silent.say)
  if (from === 'node') {
    output.warn(
      `kubeconfig: the configuration of the cluster cannot be read, so the server and how long the certificate is valid come from what this node has; --config names a file`,
    )
  }
  const certificateValidityPeriod = period ?? config.cluster.certificateValidityPeriod
  if (durationMilliseconds(certificateValidityPeriod) > durationMilliseconds(DEFAULT_VALIDITY)) {
    output.warn(
      `kubeconfig: ${certificateValidityPeriod} is longer than the usual ${DEFAULT_VALIDITY}: a certificate cannot be revoked`,
    )
  }
  const { text, warnings } = await clientKubeconfig({
    config: { ...config, cluster: { ...config.cluster, certificateValidityPeriod } },
    read,
    place: path => below(root, path),
    now: new Date(),
    subject: { commonName: name, organizations: groups },
    ...(token !== undefined && { token }),
  })
  for (const warning of warnings) output.warn(warning)
  // What a kubeconfig is for is to be read by other programs: it is no event.
  if (out === undefined) return openOutput({}).result(`${text}\n`)
  const path = resolve(out)
  await writePieces(path, 0o600, Readable.from([Buffer.from(text)]))
  output.say(`[kubeconfig] Wrote the kubeconfig of "${name}" to "${path}": whoever can read it is that user`)
}

/** What is wrong with a user, a line each. */
function userFaults(name: string, groups: readonly string[], flags: Call['flags']): string[] {
  const { 'validity-period': period, token } = flags
  const unsafe = flags['allow-unsafe-groups'] ? [] : groups.filter(group => UNSAFE_GROUPS.includes(group))
  const named = (what: string, text: string): string[] =>
    HIDDEN.test(text) ? [`cannot use ${what} ${JSON.stringify(text)}: it has a character that does not show`] : []
  return [
    ...(name.trim() === '' ? ['cannot make a kubeconfig: --client-name has to say for whom; add it'] : []),
    ...named('--client-name', name),
    ...groups.flatMap(group => named('--org', group)),
    ...unsafe.map(
      group =>
        `cannot put "${name}" into the group "${group}": it may do everything, whatever is revoked later; bind a role to another group, or add --allow-unsafe-groups`,
    ),
    ...(period !== undefined && durationMilliseconds(period) < SHORTEST_MS
      ? [`cannot use --validity-period "${period}": the certificate would have ended already; choose a longer one`]
      : []),
    ...(token !== undefined && !/^[\x21-\x7e]+$/.test(token)
      ? ['cannot use --token: it is empty, or has characters that no HTTP header may have']
      : []),
  ]
}

/** In logs and lists they would make a name look like another one. */
const HIDDEN = /\p{C}/u

/** Certificates know whole seconds. */
const SHORTEST_MS = 1000
