/** The phases of an init: names as `--skip-phases` takes them, and what each of them is for. */

export interface PhaseRow {
  readonly name: string
  readonly about: string
  readonly subphases: readonly string[]
  /** Older names that kubeadm still takes. */
  readonly aliases?: readonly string[]
}

/** Source: kubeadm cmd/init.go and cmd/phases/init (v1.36). */
export const PHASES: readonly PhaseRow[] = [
  { name: 'preflight', about: 'check the machine', subphases: [] },
  {
    name: 'certs',
    about: 'certificates and keys',
    subphases: [
      'ca',
      'apiserver',
      'apiserver-kubelet-client',
      'front-proxy-ca',
      'front-proxy-client',
      'etcd-ca',
      'etcd-server',
      'etcd-peer',
      'etcd-healthcheck-client',
      'apiserver-etcd-client',
      'sa',
    ],
  },
  {
    name: 'kubeconfig',
    about: 'kubeconfig files of the control plane and the admin',
    subphases: ['admin', 'super-admin', 'kubelet', 'controller-manager', 'scheduler'],
  },
  { name: 'etcd', about: 'static Pod of a local etcd', subphases: ['local'] },
  {
    name: 'control-plane',
    about: 'static Pods of the control plane',
    subphases: ['apiserver', 'controller-manager', 'scheduler'],
  },
  { name: 'kubelet-start', about: "the kubelet's settings, and its start", subphases: [] },
  { name: 'wait-control-plane', about: 'wait for the control plane', subphases: [] },
  {
    name: 'upload-config',
    about: 'configurations of kubeadm and the kubelet as ConfigMaps',
    subphases: ['kubeadm', 'kubelet'],
    aliases: ['uploadconfig'],
  },
  { name: 'upload-certs', about: 'certificates for joining control planes', subphases: [] },
  { name: 'mark-control-plane', about: 'labels and taints of the node', subphases: [] },
  { name: 'bootstrap-token', about: 'tokens for joining nodes', subphases: [], aliases: ['bootstraptoken'] },
  {
    name: 'kubelet-finalize',
    about: "the kubelet's settings after TLS bootstrap",
    subphases: ['enable-client-cert-rotation', 'experimental-cert-rotation'],
  },
  { name: 'addon', about: 'CoreDNS and kube-proxy', subphases: ['coredns', 'kube-proxy'] },
  { name: 'show-join-command', about: 'how other nodes join', subphases: [] },
]

/** The row of a phase by kubeadm's name. Throws a RangeError for one that kubeadm does not have. */
export function phaseRow(name: string): PhaseRow {
  const row = PHASES.find(phase => phase.name === name)
  if (row === undefined) throw new RangeError(`there is no phase ${JSON.stringify(name)}`)
  return row
}

/** Every name that a skip list may hold. */
export const PHASE_NAMES: readonly string[] = PHASES.flatMap(({ name, subphases, aliases = [] }) =>
  [name, ...aliases].flatMap(parent => [parent, ...subphases.map(sub => `${parent}/${sub}`)]),
)

/** Whether a phase (`certs`, or `certs/ca`) is to be skipped, by itself or with its parent. */
export function isSkipped(phase: string, skipped: readonly string[] = []): boolean {
  const parent = phase.split('/')[0] ?? ''
  const aliases = PHASES.find(({ name }) => name === parent)?.aliases ?? []
  const names = [parent, ...aliases].flatMap(alias => [alias, phase.replace(parent, alias)])
  return names.some(name => skipped.includes(name))
}
