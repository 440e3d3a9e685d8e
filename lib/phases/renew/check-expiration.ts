/** When the certificates of this node end: `certs check-expiration`. */
import type { InitConfig } from '../../base/kubeadm.ts'
import { KUBERNETES } from '../../base/paths.ts'
import { stringify } from '../../base/yaml.ts'
import type { OptionName } from '../../cli/options.ts'
import { openOutput } from '../../cli/output.ts'
import type { Call } from '../../cli/script.ts'
import { placed } from '../../kubeadm/credentials/credential-plan.ts'
import type { Read } from '../../kubeadm/credentials/credential-store.ts'
import { type Expirations, readExpirations } from '../../kubeadm/credentials/expiration.ts'
import { expirationObject, expirationTable } from '../../kubeadm/credentials/expiration-text.ts'
import { type KubeletClientFault, kubeletClientFault } from '../../kubeadm/credentials/kubelet-client.ts'
import { below } from '../../machine/files.ts'
import { liveConfig } from '../run/live-config.ts'

export const EXPIRATION_OPTIONS: readonly OptionName[] = [
  'config',
  'cert-dir',
  'kubeconfig',
  'root',
  'allow-missing-template-keys',
  'show-managed-fields',
]

/** The table, or objects in themselves and no events. */
const FORMATS: Readonly<Record<string, (found: Expirations, now: Date) => string>> = {
  text: expirationTable,
  json: (found, now) => `${JSON.stringify(expirationObject(found, now), null, 4)}\n`,
  yaml: (found, now) => stringify(expirationObject(found, now)),
}

/** The kubelet has no row in kubeadm's table; what shuts it out is said all the same, with what lets it in again. */
export function kubeletWarning(
  { path, reason }: KubeletClientFault,
  { cluster, init }: InitConfig,
  read: Read,
  place: (path: string) => string,
): string {
  const hasKey = read(`${cluster.certificatesDir}/ca.key`) !== undefined
  const { name } = init.nodeRegistration
  const advice = hasKey
    ? "'certs renew all' makes another, and starts the kubelet again"
    : `on a control plane node, 'kubeconfig user --client-name system:node:${name} --org system:nodes' makes another: put it in the place of "${place(KUBERNETES.kubeletConf)}", and start the kubelet again`
  return `certs: the kubelet cannot use its client certificate "${place(path)}": ${reason}; ${advice}`
}

/** Says it of everything that is there; needs no API server. Throws what reading the configuration throws. */
export async function checkExpiration(call: Call): Promise<void> {
  const { flags } = call
  const format = flags.output ?? 'text'
  const output = openOutput({ ...(flags.verbose && { verbose: true }), ...(flags.quiet && { quiet: true }) })
  const say = format === 'text' ? output.say : (): void => {}
  const { config, read, root } = await liveConfig({ ...call, output }, call.subcommand, say)
  const found = readExpirations(config, KUBERNETES.folder, read)
  const place = (path: string): string => below(root, path)
  for (const fault of found.faults) output.warn(placed(fault, place))
  const kubelet = kubeletClientFault(read, new Date())
  if (kubelet !== undefined) output.warn(kubeletWarning(kubelet, config, read, place))
  output.result(FORMATS[format]?.(found, new Date()) ?? '')
}
