/**
 * What kubeadm follows only in part: extraArgs that change an address, port or path which kubeadm also writes elsewhere.
 * The manifests stay kubeadm's; here is what to tell the user. Seen with kubeadm v1.36.
 */
import type { Arg, InitConfig } from '../../base/kubeadm.ts'
import { isSince } from '../../base/version.ts'
import { argumentValue } from './command-line.ts'
import { etcdPeerUrl } from './etcd-endpoints.ts'
import { type ComponentName, HEALTH_PORTS } from './static-pods.ts'

interface Override {
  readonly component: ComponentName
  readonly argument: string
  /** Whether the value contradicts what is written elsewhere. */
  readonly breaks: (value: string, config: InitConfig) => boolean
  /** What goes wrong, and what to do instead. */
  readonly consequence: string
}

const SET_ENDPOINT = 'set localAPIEndpoint instead'
const PROBES = 'probes keep the default port, so the kubelet will kill the Pod; patch the probes as well'
const INITIAL_CLUSTER =
  'initial-cluster keeps the default, so etcd will not start; override initial-cluster as well, or leave this one'

export const OVERRIDES: readonly Override[] = [
  {
    component: 'kube-apiserver',
    argument: 'advertise-address',
    breaks: (value, { init }) => value !== init.localAPIEndpoint.advertiseAddress,
    consequence: `probes, etcd, the certificate and the annotation of the Pod keep the other address; ${SET_ENDPOINT}`,
  },
  {
    component: 'kube-apiserver',
    argument: 'secure-port',
    breaks: (value, { init }) => value !== String(init.localAPIEndpoint.bindPort),
    consequence: `probes and kubeconfigs keep the other port, so the kubelet will kill the Pod; ${SET_ENDPOINT}`,
  },
  {
    component: 'kube-apiserver',
    argument: 'bind-address',
    breaks: (value, { init }) => !['0.0.0.0', '::', init.localAPIEndpoint.advertiseAddress].includes(value),
    consequence: 'probes and kubeconfigs use the advertise address; bind to that one, or to all',
  },
  {
    component: 'kube-controller-manager',
    argument: 'secure-port',
    breaks: value => value !== String(HEALTH_PORTS['kube-controller-manager']),
    consequence: PROBES,
  },
  {
    component: 'kube-controller-manager',
    argument: 'flex-volume-plugin-dir',
    // Older releases mount the folder that the argument names.
    breaks: (_value, { kubeadm }) => isSince(kubeadm, '1.36'),
    consequence: 'since 1.36 nothing mounts that folder; add it to controllerManager.extraVolumes',
  },
  {
    component: 'kube-scheduler',
    argument: 'secure-port',
    breaks: value => value !== String(HEALTH_PORTS['kube-scheduler']),
    consequence: PROBES,
  },
  {
    component: 'etcd',
    argument: 'name',
    breaks: (value, config) => ownCluster(config) && value !== config.init.nodeRegistration.name,
    consequence: INITIAL_CLUSTER,
  },
  {
    component: 'etcd',
    argument: 'initial-advertise-peer-urls',
    breaks: (value, config) => ownCluster(config) && value !== etcdPeerUrl(config),
    consequence: INITIAL_CLUSTER,
  },
  {
    component: 'etcd',
    argument: 'data-dir',
    breaks: (value, { cluster }) => value !== cluster.etcd.local?.dataDir,
    consequence: 'that folder is not mounted, so the data would go with the Pod; set etcd.local.dataDir instead',
  },
]

/** What the extraArgs of a component break, one line each. */
export function overrideNotices(component: ComponentName, config: InitConfig): string[] {
  const given = extraArguments(component, config)
  return OVERRIDES.filter(row => row.component === component).flatMap(({ argument, breaks, consequence }) => {
    const value = argumentValue(given, argument)
    if (value === undefined || !breaks(value, config)) return []
    return [`static-pod: ${component} gets --${argument} "${value}" from extraArgs: ${consequence}`]
  })
}

/** The user's own arguments of a component. */
export function extraArguments(component: ComponentName, { cluster }: InitConfig): readonly Arg[] {
  const given: Readonly<Record<ComponentName, readonly Arg[] | undefined>> = {
    etcd: cluster.etcd.local?.extraArgs,
    'kube-apiserver': cluster.apiServer.extraArgs,
    'kube-controller-manager': cluster.controllerManager.extraArgs,
    'kube-scheduler': cluster.scheduler.extraArgs,
  }
  return given[component] ?? []
}

// Who overrides initial-cluster as well knows what it should hold.
function ownCluster(config: InitConfig): boolean {
  return argumentValue(config.cluster.etcd.local?.extraArgs, 'initial-cluster') === undefined
}
