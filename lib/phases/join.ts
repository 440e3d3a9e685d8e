/** A join: its phases in order, each of which runs alone too. */
import type { Command, Subcommand } from '../cli/arguments.ts'
import type { OptionName } from '../cli/options.ts'
import type { Call } from '../cli/script.ts'
import { downloadCerts } from './join/download-certs.ts'
import { findCluster } from './join/find-cluster.ts'
import { markNode, waitForOwnControlPlane } from './join/join-control-plane.ts'
import { checkEtcd, joinEtcd } from './join/join-etcd.ts'
import { JOIN_PHASE_ROWS } from './join/join-phase.ts'
import type { JoinRun } from './join/join-run.ts'
import { makeCerts, makeKubeconfigs, makeManifests } from './join/prepare-control-plane.ts'
import { runJoin, runJoinPhase } from './join/run-join.ts'
import { startNode } from './join/start-node.ts'
import { waitForBootstrap } from './join/wait-bootstrap.ts'

/** What each phase and sub-phase does, in the order of a join. */
export const JOIN_STEPS: Readonly<Record<string, (run: JoinRun) => Promise<void>>> = {
  preflight: findCluster,
  'control-plane-prepare/download-certs': downloadCerts,
  'control-plane-prepare/certs': makeCerts,
  'control-plane-prepare/kubeconfig': makeKubeconfigs,
  'control-plane-prepare/control-plane': makeManifests,
  'check-etcd': checkEtcd,
  'kubelet-start': startNode,
  'etcd-join': joinEtcd,
  'kubelet-wait-bootstrap': waitForBootstrap,
  'control-plane-join/mark-control-plane': markNode,
  'wait-control-plane': waitForOwnControlPlane,
}

const OPTIONS: readonly OptionName[] = [
  'config',
  'control-plane',
  'token',
  'discovery-token',
  'discovery-token-ca-cert-hash',
  'discovery-token-unsafe-skip-ca-verification',
  'discovery-file',
  'tls-bootstrap-token',
  'certificate-key',
  'apiserver-advertise-address',
  'apiserver-bind-port',
  'node-name',
  'cri-socket',
  'patches',
  'skip-phases',
  'ignore-preflight-errors',
  'dry-run',
  'output-dir',
  'artifacts',
  'mirror',
  'cache-dir',
  'lock',
  'offline',
  'runtime',
  'install',
  'cni',
  'timeout',
  'owner',
]

/** `phase NAME`, and for phases with parts `phase NAME PART`. */
const PHASE_COMMANDS: readonly Subcommand[] = JOIN_PHASE_ROWS.filter(({ hidden }) => !hidden).flatMap(
  ({ name, about, options, subphases = [] }) => {
    const all = [...new Set([...options, ...subphases.flatMap(sub => sub.options)])]
    return [
      { name: `phase ${name}`, about, options: all },
      ...(subphases.length === 0 ? [] : [{ name: `phase ${name} all`, about, options: all }]),
      ...subphases.map(sub => ({ name: `phase ${name} ${sub.name}`, about: sub.about, options: sub.options })),
    ]
  },
)

const WHOLE = 'all'

export const join: { readonly command: Command; readonly run: (call: Call) => Promise<void> } = {
  command: {
    name: 'join',
    about: 'Join this machine to a Kubernetes cluster, as a worker or as a control plane node.',
    options: OPTIONS,
    subcommands: [{ name: WHOLE, about: 'All phases, one after the other', options: OPTIONS }, ...PHASE_COMMANDS],
    positionals: '[HOST:PORT]',
    mayNameNone: true,
    examples: [
      'join.mts 10.0.0.5:6443 --token TOKEN --discovery-token-ca-cert-hash sha256:HASH',
      'join.mts 10.0.0.5:6443 --token TOKEN --discovery-token-ca-cert-hash sha256:HASH --control-plane --certificate-key KEY',
      'join.mts --config join.yaml --artifacts ./v1.36.2',
      'join.mts phase preflight --config join.yaml',
    ],
  },
  run: call => {
    if (call.subcommand === WHOLE) return runJoin(call, JOIN_STEPS)
    const [, name = '', part] = call.subcommand.split(' ')
    return runJoinPhase(call, part === undefined || part === 'all' ? name : `${name}/${part}`, JOIN_STEPS)
  },
}
