/** Checks of what is in the way, and of what has to be there: ports, files, folders, programs. */

import type { InitConfig } from '../../base/kubeadm.ts'
import { KUBERNETES } from '../../base/paths.ts'
import { isSkipped } from '../../kubeadm/config/phase-names.ts'
import { rotatedCertificatePath } from '../../kubeadm/kubelet/rotation.ts'
import type { Host } from '../../machine/host/host.ts'
import { holderText } from '../../machine/host/ports.ts'
import { proxyModeOf } from '../../machine/network/proxy-mode.ts'
import { type Check, error, handled, isOfRelease, ok, unknown, type Verdict, type Wanted, warning } from './check.ts'

interface PortUse {
  readonly port: number
  readonly what: string
}

const HEALTH_PORT = 10248

/** Ports that a control plane node listens on. Source: kubeadm constants.go; 2381 and 10248 have no check in kubeadm. */
export function clusterPorts({
  cluster,
  init,
  kubelet: { document },
  joins,
  balancerPort,
  nodePorts = [],
}: InitConfig): PortUse[] {
  const { healthzPort } = document
  const health = typeof healthzPort === 'number' ? healthzPort : HEALTH_PORT
  const kubelet = [
    { port: 10250, what: 'the kubelet' },
    ...(health === 0 ? [] : [{ port: health, what: "the kubelet's health" }]),
  ]
  if (joins === 'worker') return kubelet
  return [
    { port: init.localAPIEndpoint.bindPort, what: 'the API server' },
    ...(balancerPort === undefined ? [] : [{ port: balancerPort, what: 'the balancer of the API servers' }]),
    ...nodePorts.map(port => ({ port, what: 'what leads to a node' })),
    { port: 10259, what: 'the scheduler' },
    { port: 10257, what: 'the controller manager' },
    ...kubelet,
    ...(cluster.etcd.local === undefined
      ? []
      : [
          { port: 2379, what: 'etcd' },
          { port: 2380, what: "etcd's peers" },
          { port: 2381, what: "etcd's metrics" },
        ]),
  ]
}

/** Static Pods that the phases of an init write. */
const STATIC_PODS: readonly (readonly [name: string, phase: string])[] = [
  ['kube-apiserver', 'control-plane/apiserver'],
  ['kube-controller-manager', 'control-plane/controller-manager'],
  ['kube-scheduler', 'control-plane/scheduler'],
  ['etcd', 'etcd/local'],
]

/** Their manifests; those of phases that are skipped are the user's own. */
export function manifestFiles({ init, cluster, joins }: InitConfig): string[] {
  if (joins === 'worker') return []
  return STATIC_PODS.filter(
    ([name, phase]) => !isSkipped(phase, init.skipPhases) && (name !== 'etcd' || cluster.etcd.local !== undefined),
  ).map(([name]) => `${KUBERNETES.manifests}/${name}.yaml`)
}

/**
 * What a node has that has joined already. Source: kubeadm preflight/checks.go, RunJoinNodeChecks (v1.36); with an old
 * certificate, which it passes over, the kubelet would not ask for one.
 */
export function identityFiles({ joins, init }: Pick<InitConfig, 'joins' | 'init'>): string[] {
  if (joins === undefined) return []
  const own = [KUBERNETES.kubeletConf, KUBERNETES.bootstrapConf, rotatedCertificatePath({ init })]
  return joins === 'worker' ? [...own, `${KUBERNETES.certificates}/ca.crt`] : own
}

interface ProgramUse {
  readonly program: string
  /** What it means that it is missing, for a cluster of kubestep. */
  readonly verdict: 'error' | 'warning' | 'handled'
  readonly why: string
  readonly since?: string
  readonly until?: string
  /** Only with this mode of kube-proxy. */
  readonly mode?: string
}

const NOBODY = 'nothing here calls it; kubeadm of this release asks for it all the same'

/**
 * Programs that kubeadm looks for, by release. Source: runs of kubeadm 1.18 to 1.30 and 1.36; CHANGELOG-1.31.1 (socat,
 * ebtables; k/k PR 127151), 1.32 (conntrack), 1.33 (PRs 129131, 129317, 129450, 130045) (crictl).
 */
export const PROGRAM_USES: readonly ProgramUse[] = [
  { program: 'crictl', verdict: 'handled', why: 'kubestep talks to the runtime itself', until: '1.31' },
  { program: 'conntrack', verdict: 'handled', why: "kube-proxy's image has its own", until: '1.32' },
  { program: 'iptables', verdict: 'error', why: 'the rules that let Pods through are set with it' },
  { program: 'ip', verdict: 'error', why: 'the interfaces of Pods are taken away with it' },
  { program: 'mount', verdict: 'error', why: 'the kubelet mounts volumes with it' },
  { program: 'nft', verdict: 'error', why: "kube-proxy's rules are taken away with it", mode: 'nftables' },
  { program: 'ipset', verdict: 'error', why: "kube-proxy's sets are taken away with it", mode: 'ipvs' },
  { program: 'ipvsadm', verdict: 'error', why: "kube-proxy's servers are taken away with it", mode: 'ipvs' },
  { program: 'nsenter', verdict: 'handled', why: NOBODY, until: '1.33' },
  { program: 'ebtables', verdict: 'handled', why: NOBODY, until: '1.31.1' },
  { program: 'ethtool', verdict: 'handled', why: NOBODY, until: '1.33' },
  { program: 'socat', verdict: 'handled', why: 'containerd forwards ports without it', until: '1.31.1' },
  { program: 'tc', verdict: 'handled', why: NOBODY, until: '1.33' },
  { program: 'touch', verdict: 'handled', why: NOBODY, until: '1.33' },
  { program: 'losetup', verdict: 'warning', why: 'the kubelet attaches raw block volumes with it', since: '1.33' },
  { program: 'cp', verdict: 'handled', why: NOBODY, since: '1.33' },
]

function isUsed(use: ProgramUse, wanted: Wanted): boolean {
  return isOfRelease(use, wanted) && (use.mode === undefined || proxyModeOf(wanted.config)?.name === use.mode)
}

function programVerdict({ program, verdict, why }: ProgramUse, { programs }: Host, { install }: Wanted): Verdict {
  const path = programs[program]
  if (path !== undefined) return ok(path)
  const found = `${program} is not there`
  if (verdict === 'handled') return handled(found, why)
  if (verdict === 'warning') return warning(found, `install it: ${why}`)
  return install ? handled(found, 'init installs it') : error(found, `install it, or add --install: ${why}`)
}

function portVerdict({ ports, boundPorts }: Host, config: InitConfig, port: number): Verdict {
  const what = clusterPorts(config).find(use => use.port === port)?.what ?? 'the cluster'
  // One server may listen on several addresses.
  const pids = new Set<number | undefined>()
  const holders = ports
    .filter(holder => holder.port === port && !pids.has(holder.process?.pid) && pids.add(holder.process?.pid))
    .map(holderText)
  if (holders.length > 0) return error(`${holders.join(', ')} has the port of ${what}`, stopAdvice(config, port))
  if (boundPorts.includes(port)) return error(`something holds the port of ${what}`, stopAdvice(config, port))
  return ok(`free for ${what}`)
}

function stopAdvice({ init }: InitConfig, port: number): string {
  return port === init.localAPIEndpoint.bindPort ? 'stop that, or use --apiserver-bind-port' : 'stop that'
}

export const FILE_CHECKS: readonly Check[] = [
  {
    name: 'Port-<port>',
    about: 'the port is free',
    why: 'a component that cannot listen ends, again and again',
    severity: 'error',
    subjects: ({ config }) => clusterPorts(config).map(({ port }) => String(port)),
    others: ['6443', '10251', '10252', '10259', '10257', '10250', '2379', '2380'],
    look: (host, { config }, subject) => portVerdict(host, config, Number(subject)),
  },
  {
    name: 'FileAvailable-<path>',
    about: 'no static Pod of another cluster, and of a node that joins no kubeconfig of another one',
    why: 'the kubelet starts whatever is there, and is in the cluster that it knows',
    severity: 'error',
    subjects: ({ config }) => [...manifestFiles(config), ...identityFiles(config)],
    others: [
      ...STATIC_PODS.map(([name]) => `${KUBERNETES.manifests}/${name}.yaml`),
      KUBERNETES.kubeletConf,
      KUBERNETES.bootstrapConf,
      KUBERNETES.authority,
      `${KUBERNETES.kubelet}/pki/kubelet-client-current.pem`,
    ],
    look: ({ files, folders }, _, path) => {
      if (files[path] !== undefined) return error(`"${path}" is there already`, 'reset that cluster, or move it away')
      return folders[KUBERNETES.manifests] === 'closed'
        ? unknown(`"${KUBERNETES.manifests}" cannot be read`)
        : ok('absent')
    },
  },
  {
    name: 'DirAvailable-<path>',
    about: "nothing of another cluster in etcd's folder, or beside the static Pods",
    why: 'etcd would go on with the data of another cluster, and the kubelet run its static Pods',
    severity: 'error',
    subjects: ({ config: { cluster, joins } }) => [
      ...(cluster.etcd.local === undefined || joins === 'worker' ? [] : [cluster.etcd.local.dataDir]),
      KUBERNETES.manifests,
    ],
    others: [KUBERNETES.etcd],
    look: ({ folders }, { config }, path) => {
      const names = folders[path] ?? 'absent'
      if (names === 'closed') return unknown(`"${path}" cannot be read`)
      if (names === 'absent') return ok('absent')
      const own = [...STATIC_PODS].map(([name]) => `${name}.yaml`)
      const foreign =
        path === KUBERNETES.manifests ? names.filter(name => isManifest(name) && !own.includes(name)) : names
      if (foreign.length === 0) return ok(names.length === 0 ? 'empty' : 'nothing foreign')
      const found = `"${path}" holds ${listText(foreign)}`
      return path === config.cluster.etcd.local?.dataDir
        ? error(found, 'move it away, or remove it with the cluster that it belongs to')
        : error(`${found}, which the kubelet would run`, 'move them away')
    },
  },
  {
    name: 'FileExisting-<program>',
    about: 'the program is installed',
    why: 'the kubelet, or kubestep, calls it',
    severity: 'error',
    subjects: wanted => PROGRAM_USES.filter(use => isUsed(use, wanted)).map(({ program }) => program),
    others: PROGRAM_USES.map(({ program }) => program),
    look: (host, wanted, subject) => {
      const use = PROGRAM_USES.find(({ program }) => program === subject)
      return use && programVerdict(use, host, wanted)
    },
  },
]

// The kubelet reads every file whose name does not begin with a dot.
function isManifest(name: string): boolean {
  return !name.startsWith('.')
}

function listText(names: readonly string[]): string {
  return names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ')
}
