/** Access for a further user of the cluster: `kubeconfig user`. */
import { DEFAULT_VALIDITY } from '../../base/defaults.ts'
import { durationMilliseconds } from '../../base/duration.ts'
import { UsageError } from '../../base/errors.ts'
import type { Subcommand } from '../../cli/arguments.ts'
import { openOutput } from '../../cli/output.ts'
import type { Call } from '../../cli/script.ts'
import { clientKubeconfig, UNSAFE_GROUPS } from '../../kubeadm/credentials/client-kubeconfig.ts'
import { below } from '../../machine/files.ts'
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
    'config',
    'cert-dir',
    'kubeconfig',
    'root',
  ],
}

/** The kubeconfig alone on stdout. Throws a UsageError for what would be unsafe, else what reading and signing throw. */
export async function printUserKubeconfig(call: Call): Promise<void> {
  const { flags, output } = call
  const { 'client-name': name, 'validity-period': period, token } = flags
  if (name === undefined || name === '')
    throw new UsageError('kubeconfig: cannot make a kubeconfig: --client-name has to say for whom; add it')
  const groups = (flags.org ?? '').split(',').filter(Boolean)
  const unsafe = groups.filter(group => UNSAFE_GROUPS.includes(group))
  if (unsafe.length > 0 && !flags['allow-unsafe-groups']) {
    throw new UsageError(
      `kubeconfig: cannot put "${name}" into the group "${unsafe.join('", "')}": it may do everything, whatever is revoked later; bind a role to another group, or add --allow-unsafe-groups`,
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
  openOutput({}).result(`${text}\n`)
}
