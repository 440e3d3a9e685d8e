/** Phase `preflight` of a join: finds the cluster, and what stands in the way; changes nothing. */
import { KubestepError, messageOf } from '../../base/errors.ts'
import { isObject } from '../../base/json.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { clockVerdict } from '../../cluster/discovery/clock.ts'
import { isLocalNode } from '../../machine/local-node/local-node.ts'
import { wantsNetwork } from '../../machine/network/pod-network.ts'
import { BRING_NETWORK, isNear } from '../../machine/network/pod-routes.ts'
import { rangesOf, wantedRoutes } from '../agent/node-routes.ts'
import type { OpenedPhase } from '../run/open-phase.ts'
import type { JoinRun } from './join-run.ts'
import { readiness } from './node-state.ts'
import { readAllowed } from './refused-identity.ts'

export async function findCluster(run: JoinRun): Promise<void> {
  const { role, config, dryRun, call } = run
  await run.cluster()
  const node = await run.node()
  const brings = role === 'worker' || config.controlPlane?.certificateKey !== undefined
  const faults = await Promise.all([
    takenName(run, node.config),
    wrongClock(run),
    farNodes(run, node.config),
    role === 'worker' ? undefined : unstable(node.config),
    brings ? undefined : missingShared(node),
    dryRun ? undefined : run.look().then(() => undefined, told(call.name)),
  ])
  const lines = faults.filter(line => line !== undefined)
  if (lines.length > 0) throw new KubestepError(lines.join('\n'))
}

/** What keeps others from being named is no reason not to name them. */
function told(name: string): (error: unknown) => string {
  return error => {
    if (error instanceof KubestepError) return messageOf(name, error)
    throw error
  }
}

/** Two machines of one name take each other's Pods. Source: kubeadm cmd/phases/join/kubelet.go (v1.36). */
async function takenName(run: JoinRun, { init }: InitConfig): Promise<string | undefined> {
  const { name } = init.nodeRegistration
  const found = await (await run.api()).get(`/api/v1/nodes/${name}`)
  if (found === undefined) return undefined
  const isReady = readiness(found) === true
  const advice = `kubectl delete node ${name}`
  if (!isReady) {
    run.call.output.warn(
      `[preflight] There is a Node "${name}" that is not Ready: this machine takes its place; if it is another machine's, stop here and say "${advice}" first`,
    )
    return undefined
  }
  return `join: cannot join as "${name}": the cluster has a Node of that name that is Ready; use --node-name, or take that one away first: ${advice}`
}

/** The cluster's clock is on every answer. */
async function wrongClock({ api, cluster, role, call }: JoinRun): Promise<string | undefined> {
  const { server } = await cluster()
  const { date } = await (await api()).send('GET', '/version')
  const verdict = clockVerdict(role, date)
  if (verdict?.isFault) return `join: cannot join "${server}": ${verdict.text}`
  if (verdict !== undefined) call.output.warn(`[preflight] ${verdict.text}`)
  return undefined
}

/**
 * The bridge of an init has routes to nodes that are on the same network; of a node in a world of its own, its machine
 * has them. Older clusters do not say where their nodes are.
 */
async function farNodes(run: JoinRun, { init }: InitConfig): Promise<string | undefined> {
  const { flags } = await run.network()
  if (!wantsNetwork(flags.cni) || isLocalNode()) return undefined
  const list = await readAllowed(await run.api(), '/api/v1/nodes')
  const nodes = (Array.isArray(list?.items) ? list.items.filter(isObject) : []).map(rangesOf)
  const addresses = [...new Set(wantedRoutes(nodes, init.nodeRegistration.name).map(({ via }) => via))]
  const near = await Promise.all(addresses.map(isNear))
  const far = addresses.filter((_address, index) => !near[index])
  if (far.length === 0) return undefined
  return `join: cannot join the Pod network of this cluster: it has nodes on another network than this machine, at ${far.join(', ')}, where its bridge does not reach; for nodes on several networks init the cluster with --cni none and ${BRING_NETWORK}; if one is there already, join with --cni none`
}

function unstable({ cluster }: InitConfig): string | undefined {
  if (cluster.controlPlaneEndpoint !== undefined) return undefined
  return 'join: cannot join as a control plane node: the cluster has no controlPlaneEndpoint, so that it ends with its first node; set it in ConfigMap kube-system/kubeadm-config, to an address that all control plane nodes can stand behind'
}

/** What control plane nodes share, where nobody brings it. */
function missingShared({ config, read }: OpenedPhase): string | undefined {
  const { certificatesDir, etcd } = config.cluster
  const names = [
    'ca.crt',
    'sa.key',
    'sa.pub',
    'front-proxy-ca.crt',
    ...(etcd.local === undefined ? [] : ['etcd/ca.crt']),
  ]
  const missing = names.map(name => `${certificatesDir}/${name}`).filter(path => read(path) === undefined)
  if (missing.length === 0) return undefined
  return `join: cannot join as a control plane node: ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing; copy what control plane nodes share from another one, or say "upload-certs" there and give the key with --certificate-key`
}
