/** What people type out of habit: kubeadm's verbosity, and options of other tools and of older releases. */
import type { OptionName } from './options.ts'

/** From this level on kubeadm shows stack traces. Source: kubeadm cmd/util and util/error.go (v1.36). */
const VERBOSE_LEVEL = 5

/**
 * A command line with kubeadm's `--v=5`, `-v 5`, `-v=5` and `-v5` as this one has them: `--verbose`, or nothing for a
 * lower level.
 */
export function withoutVerbosity(argv: readonly string[]): string[] {
  const end = argv.indexOf('--')
  const own = argv.slice(0, end === -1 ? argv.length : end)
  const rest = argv.slice(own.length)
  const read = own.flatMap((argument, index): string[] => {
    const before = own[index - 1] ?? ''
    if (isLevel(argument) && isSwitch(before)) return []
    const [, joined] = /^(?:-v=?|--v(?:erbose)?=)(\d+)$/.exec(argument) ?? []
    const level = joined ?? (isSwitch(argument) ? own[index + 1] : undefined)
    if (level !== undefined && isLevel(level)) return Number(level) >= VERBOSE_LEVEL ? ['--verbose'] : []
    return argument === '--v' ? ['--verbose'] : [argument]
  })
  return [...read, ...rest]
}

function isLevel(text: string): boolean {
  return /^\d+$/.test(text)
}

function isSwitch(text: string): boolean {
  return text === '-v' || text === '--v'
}

interface ForeignOption {
  readonly names: readonly string[]
  /** The option here; or, for want of one, what to do, in words. */
  readonly use: OptionName | `${string} ${string}`
}

const LOGGING = 'there is no log; --verbose says more, and -o json is for programs'

/** Source: kubeadm's flags of 1.5 to 1.36, of kind 0.32, minikube 1.38 and k3d 5.8. */
export const FOREIGN_OPTIONS: readonly ForeignOption[] = [
  { names: ['v'], use: 'write --verbose, or a level as in --v=5' },
  { names: ['vmodule', 'log-file', 'log-dir', 'logtostderr', 'alsologtostderr', 'stderrthreshold'], use: LOGGING },
  { names: ['skip-headers', 'skip-log-headers', 'add-dir-header', 'one-output', 'log-file-max-size'], use: LOGGING },
  { names: ['debug'], use: 'verbose' },
  { names: ['silent'], use: 'quiet' },
  { names: ['rootfs', 'prefix'], use: 'root' },
  { names: ['skip-preflight-checks'], use: 'write --ignore-preflight-errors=all' },
  { names: ['ignore-checks-errors'], use: 'ignore-preflight-errors' },
  { names: ['experimental-upload-certs'], use: 'upload-certs' },
  { names: ['experimental-patches', 'experimental-kustomize', 'kustomize'], use: 'patches' },
  { names: ['api-advertise-addresses', 'advertise-address', 'apiserver-ips'], use: 'apiserver-advertise-address' },
  { names: ['apiserver-names', 'api-external-dns-names', 'tls-san'], use: 'apiserver-cert-extra-sans' },
  { names: ['apiserver-port', 'api-port', 'secure-port'], use: 'apiserver-bind-port' },
  { names: ['use-kubernetes-version', 'k8s-version', 'kube-version'], use: 'kubernetes-version' },
  { names: ['pod-cidr', 'pod-subnet', 'cluster-cidr', 'pod-network'], use: 'pod-network-cidr' },
  { names: ['service-subnet', 'service-cluster-ip-range', 'services-cidr'], use: 'service-cidr' },
  { names: ['dns-domain', 'cluster-domain', 'service-domain'], use: 'service-dns-domain' },
  { names: ['container-runtime', 'driver', 'vm-driver', 'container-runtime-endpoint'], use: 'runtime' },
  { names: ['network-plugin', 'cni-plugin', 'flannel-backend'], use: 'cni' },
  { names: ['image-mirror-country', 'image-mirror', 'registry-mirror', 'binary-mirror'], use: 'mirror' },
  { names: ['hostname-override'], use: 'node-name' },
  { names: ['wait-timeout', 'wait-for'], use: 'timeout' },
  { names: ['force', 'yes', 'y', 'f'], use: 'nothing is asked here; leave it out' },
  { names: ['name', 'cluster-name', 'cluster-name-override'], use: 'write clusterName into a file for --config' },
  { names: ['cloud-provider', 'extra-config', 'kubelet-arg'], use: 'write it as extraArgs into a file for --config' },
  { names: ['agents'], use: 'workers' },
  { names: ['servers'], use: 'control-planes' },
  { names: ['nodes', 'workers', 'control-planes'], use: 'the cluster is this machine, with one node' },
  { names: ['cpus', 'memory', 'disk-size'], use: 'the cluster is this machine, with all that it has' },
  { names: ['addons'], use: 'apply what you need when the cluster is up' },
  { names: ['version'], use: 'kubernetes-version' },
]

/** What to use in place of an option that others have; undefined for one that nobody has. */
export function foreignOption(name: string, allowed: readonly string[]): string | undefined {
  const use = FOREIGN_OPTIONS.find(({ names }) => names.includes(name))?.use
  if (use === undefined || use.includes(' ')) return use
  return allowed.includes(use) ? `use --${use}` : undefined
}
