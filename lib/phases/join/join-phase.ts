/** The phases of a join: names as `--skip-phases` takes them, and what each of them is for. */
import type { OptionName } from '../../cli/options.ts'

export interface JoinPhaseRow {
  readonly name: string
  readonly about: string
  /** Options that it takes alone. */
  readonly options: readonly OptionName[]
  readonly subphases?: readonly Omit<JoinPhaseRow, 'subphases' | 'alone'>[]
  /** Workers have nothing to do there. */
  readonly controlPlane?: true
  /** Not to be run alone, as in kubeadm. */
  readonly hidden?: true
}

const DISCOVERY: readonly OptionName[] = [
  'discovery-file',
  'discovery-token',
  'discovery-token-ca-cert-hash',
  'discovery-token-unsafe-skip-ca-verification',
  'tls-bootstrap-token',
  'token',
]

const CLUSTER: readonly OptionName[] = ['config', 'control-plane', 'dry-run', ...DISCOVERY]

/** Source: kubeadm cmd/join.go and cmd/phases/join (v1.36). */
export const JOIN_PHASE_ROWS: readonly JoinPhaseRow[] = [
  {
    name: 'preflight',
    about: 'find the cluster, and check the machine',
    options: [
      ...CLUSTER,
      'apiserver-advertise-address',
      'apiserver-bind-port',
      'certificate-key',
      'cri-socket',
      'ignore-preflight-errors',
      'node-name',
      // Ours.
      'artifacts',
      'cni',
      'install',
      'runtime',
    ],
  },
  {
    name: 'control-plane-prepare',
    about: 'credentials and static Pods of a control plane node',
    options: [],
    controlPlane: true,
    subphases: [
      {
        name: 'download-certs',
        about: 'the certificates that control planes share, from the cluster',
        options: [...CLUSTER, 'certificate-key'],
      },
      {
        name: 'certs',
        about: "the node's own certificates",
        options: [...CLUSTER, 'apiserver-advertise-address', 'node-name'],
      },
      {
        name: 'kubeconfig',
        about: 'kubeconfig files of the control plane and the admin',
        options: [...CLUSTER, 'certificate-key', 'apiserver-advertise-address', 'apiserver-bind-port'],
      },
      {
        name: 'control-plane',
        about: 'static Pods of the API server, the controller manager and the scheduler',
        options: [...CLUSTER, 'apiserver-advertise-address', 'apiserver-bind-port', 'patches', 'node-name'],
      },
    ],
  },
  {
    name: 'check-etcd',
    about: 'whether etcd can take a member in',
    options: CLUSTER,
    controlPlane: true,
    hidden: true,
  },
  {
    name: 'kubelet-start',
    about: "the kubelet's settings, and its start",
    options: [
      ...CLUSTER,
      'cri-socket',
      'node-name',
      'patches',
      // Ours: where the kubelet comes from, and what it runs on.
      'apiserver-advertise-address',
      'artifacts',
      'cache-dir',
      'cni',
      'install',
      'lock',
      'mirror',
      'offline',
      'runtime',
      'timeout',
    ],
  },
  {
    name: 'etcd-join',
    about: 'a member of etcd on this node: it learns first, then it votes',
    options: [...CLUSTER, 'apiserver-advertise-address', 'node-name', 'patches'],
    controlPlane: true,
  },
  {
    name: 'kubelet-wait-bootstrap',
    about: 'wait until the kubelet has its certificate',
    options: ['config', 'control-plane', 'cri-socket', 'dry-run', 'node-name'],
  },
  {
    name: 'control-plane-join',
    about: 'the node as a part of the control plane',
    options: ['patches'],
    controlPlane: true,
    subphases: [
      {
        name: 'mark-control-plane',
        about: 'labels and taints of the node',
        options: [...CLUSTER, 'node-name', 'apiserver-advertise-address', 'apiserver-bind-port'],
      },
    ],
  },
  {
    name: 'wait-control-plane',
    about: "wait for this node's control plane",
    options: [...CLUSTER, 'apiserver-advertise-address', 'apiserver-bind-port'],
    controlPlane: true,
  },
]

/** Every name that a skip list may hold. */
export const JOIN_PHASE_NAMES: readonly string[] = JOIN_PHASE_ROWS.flatMap(({ name, subphases = [] }) => [
  name,
  ...subphases.map(sub => `${name}/${sub.name}`),
])
