/**
 * The profile for clusters that live for one job: the same components with the same images, tuned for a quick start
 * and a short life. Every change is a row here, and the README lists the rows. What the user says always wins.
 */
import type { Json } from '../../base/json.ts'

export type ProfileKind =
  | 'InitConfiguration'
  | 'ClusterConfiguration'
  | 'KubeletConfiguration'
  | 'KubeProxyConfiguration'

/** A field that gets another default. */
export interface ProfileField {
  readonly kind: ProfileKind
  /** Dotted path. */
  readonly field: string
  readonly value: Json
  readonly why: string
  readonly since?: string
}

/** An argument that a component gets unless the user gives one of that name. */
export interface ProfileArgument {
  /** Path of the component's settings in ClusterConfiguration. */
  readonly component: 'apiServer' | 'controllerManager' | 'scheduler' | 'etcd.local'
  readonly name: string
  readonly value: string
  readonly why: string
  readonly since?: string
  /** Where control planes have a common endpoint there may be others. */
  readonly alone?: true
  /** Only where there are several from the start. */
  readonly several?: true
}

/** A change to a Pod or a Deployment, as the strategic merge patch of one container's field. */
export interface ProfilePatch {
  readonly target: string
  /** Dotted path below the container. */
  readonly field: string
  readonly value: Json
  readonly why: string
}

const SINGLE = 'the node is the only one, so its own Pods must run on it'
const DISK = 'a runner is short of disk, and Pods must not be evicted for it'

export const FIELDS: readonly ProfileField[] = [
  { kind: 'InitConfiguration', field: 'nodeRegistration.taints', value: [], why: SINGLE },
  {
    kind: 'ClusterConfiguration',
    field: 'encryptionAlgorithm',
    value: 'ECDSA-P256',
    why: 'keys in milliseconds instead of a second',
  },
  { kind: 'KubeletConfiguration', field: 'failSwapOn', value: false, why: 'hosted runners have swap' },
  {
    kind: 'KubeletConfiguration',
    field: 'evictionHard',
    value: { 'memory.available': '0%', 'nodefs.available': '0%', 'imagefs.available': '0%', 'nodefs.inodesFree': '0%' },
    why: DISK,
  },
  { kind: 'KubeletConfiguration', field: 'imageGCHighThresholdPercent', value: 100, why: DISK },
  {
    kind: 'KubeletConfiguration',
    field: 'fileCheckFrequency',
    value: '2s',
    why: 'a static Pod that the watch missed is found soon',
  },
  {
    kind: 'KubeletConfiguration',
    field: 'syncFrequency',
    value: '10s',
    why: 'a Pod that waited for a ConfigMap is tried again soon',
  },
  { kind: 'KubeletConfiguration', field: 'serializeImagePulls', value: false, why: 'several images at once' },
  {
    kind: 'KubeProxyConfiguration',
    field: 'conntrack.maxPerCore',
    value: 0,
    why: 'the limits of the host stay as they are',
  },
  {
    kind: 'KubeProxyConfiguration',
    field: 'iptables.minSyncPeriod',
    value: '100ms',
    why: 'a Service works soon after it is made',
  },
  {
    kind: 'KubeProxyConfiguration',
    field: 'nftables.minSyncPeriod',
    value: '100ms',
    why: 'a Service works soon after it is made',
    since: '1.29',
  },
]

const UNSHARED = 'unless control planes share an endpoint'
const ALONE = `there is no other to lead; an election costs up to 4 s; ${UNSHARED}`
const QUICK = 'the default of 20 requests a second holds up the start'

const ELECTED = `the only member waits this long before it elects itself; the default is 1 s; ${UNSHARED}`

export const ARGUMENTS: readonly ProfileArgument[] = [
  { component: 'controllerManager', name: 'leader-elect', value: 'false', why: ALONE, alone: true },
  { component: 'controllerManager', name: 'kube-api-qps', value: '300', why: QUICK },
  { component: 'controllerManager', name: 'kube-api-burst', value: '400', why: QUICK },
  { component: 'scheduler', name: 'leader-elect', value: 'false', why: ALONE, alone: true },
  { component: 'scheduler', name: 'kube-api-qps', value: '300', why: QUICK },
  { component: 'scheduler', name: 'kube-api-burst', value: '400', why: QUICK },
  // Kubernetes 1.22 came with etcd 3.5, which has the flag.
  {
    component: 'etcd.local',
    name: 'unsafe-no-fsync',
    value: 'true',
    why: 'the data does not have to survive a crash of the host',
    since: '1.22',
  },
  { component: 'etcd.local', name: 'heartbeat-interval', value: '10', why: ELECTED, alone: true },
  { component: 'etcd.local', name: 'election-timeout', value: '100', why: ELECTED, alone: true },
  // Of etcd 3.6; what kubeadm gives etcd from this release on is of 3.6, too.
  {
    component: 'etcd.local',
    name: 'max-learners',
    value: '10',
    why: 'with several control planes from the start their members begin side by side; the default is 1; since 1.36',
    since: '1.36',
    several: true,
  },
]

/** An environment variable that the containers of a static Pod get unless the user gives one of that name. */
export interface ProfileVariable {
  readonly targets: readonly string[]
  readonly name: string
  readonly value: string
  readonly why: string
}

export const ENVIRONMENT: readonly ProfileVariable[] = [
  {
    targets: ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'],
    name: 'GOGC',
    value: '400',
    why: 'memory is collected less often: a tenth less work at the start, for some 300 MB more at the most',
  },
]

const STATIC_PODS: readonly string[] = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler']
const PROBES = 'a Pod is Ready when it works, not at the next of the probes 10 s apart'

export const PATCHES: readonly ProfilePatch[] = [
  ...STATIC_PODS.flatMap((target): ProfilePatch[] => [
    { target, field: 'startupProbe.initialDelaySeconds', value: 1, why: PROBES },
    { target, field: 'startupProbe.periodSeconds', value: 1, why: PROBES },
    { target, field: 'startupProbe.failureThreshold', value: 240, why: 'as long as before, in steps of 1 s' },
  ]),
  { target: 'corednsdeployment', field: 'readinessProbe.periodSeconds', value: 1, why: PROBES },
]

/** CoreDNS Pods on the one node. */
export const COREDNS_REPLICAS = 1
