/** The phases of an upgrade: names as `--skip-phases` takes them. Source: kubeadm cmd/upgrade/apply.go, node.go (v1.36). */

export type UpgradeCommand = 'apply' | 'node'

interface UpgradePhase {
  readonly name: string
  readonly about: string
  readonly in: readonly UpgradeCommand[]
  readonly subphases?: readonly string[]
  readonly aliases?: readonly string[]
  /** kubeadm runs it, and does not list it; here it may be skipped, and does nothing. */
  readonly hidden?: true
}

export const UPGRADE_PHASES: readonly UpgradePhase[] = [
  { name: 'preflight', about: 'check the cluster and the way to the version', in: ['apply', 'node'] },
  { name: 'control-plane', about: 'replace the static Pods of this node', in: ['apply', 'node'] },
  {
    name: 'upload-config',
    about: 'store the configurations of kubeadm and the kubelets',
    in: ['apply'],
    subphases: ['kubeadm', 'kubelet'],
    aliases: ['uploadconfig'],
  },
  {
    name: 'kubeconfig',
    about: 'kubelet.conf stays as it is here',
    in: ['apply', 'node'],
    hidden: true,
  },
  { name: 'kubelet-config', about: "replace the kubelet's configuration, and the kubelet", in: ['apply', 'node'] },
  { name: 'bootstrap-token', about: 'renew what bootstrap tokens are allowed', in: ['apply'] },
  {
    name: 'addon',
    about: 'upgrade CoreDNS and kube-proxy',
    in: ['apply', 'node'],
    subphases: ['coredns', 'kube-proxy'],
  },
  { name: 'post-upgrade', about: 'nothing in any release that is known here', in: ['apply', 'node'] },
]

/** The smallest parts of a command, parents left out where they have sub-phases. */
export function upgradeSteps(command: UpgradeCommand): readonly string[] {
  return UPGRADE_PHASES.filter(phase => phase.in.includes(command)).flatMap(({ name, subphases }) =>
    subphases === undefined ? [name] : subphases.map(sub => `${name}/${sub}`),
  )
}

/** Every name that a skip list of a command may hold. */
export function upgradePhaseNames(command: UpgradeCommand): readonly string[] {
  return UPGRADE_PHASES.filter(phase => phase.in.includes(command)).flatMap(({ name, subphases = [], aliases = [] }) =>
    [name, ...aliases].flatMap(parent => [parent, ...subphases.map(sub => `${parent}/${sub}`)]),
  )
}

/** Whether a step is named by itself or by its parent. */
export function isNamedBy(step: string, names: readonly string[]): boolean {
  return names.some(given => {
    const [first = '', ...rest] = given.split('/')
    const parent =
      UPGRADE_PHASES.find(({ name, aliases = [] }) => name === first || aliases.includes(first))?.name ?? first
    const name = [parent, ...rest].join('/')
    return step === name || step.startsWith(`${name}/`)
  })
}
