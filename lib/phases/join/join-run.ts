/**
 * A join as its phases share it: whatever one of them needs first (the cluster, this node's configuration in it, what
 * the node runs on) is got once. Alone, a phase gets what it needs by itself.
 */
import { timerMilliseconds } from '../../base/duration.ts'
import { once } from '../../base/once.ts'
import { startTimings, type Timings } from '../../base/stopwatch.ts'
import type { Call } from '../../cli/script.ts'
import { type Api, openApi } from '../../cluster/api/api-client.ts'
import { readStoredConfig } from '../../cluster/api/stored-config.ts'
import type { DiscoveredCluster } from '../../cluster/discovery/discovered-cluster.ts'
import { discoverByFile } from '../../cluster/discovery/file-discovery.ts'
import { discoverByToken } from '../../cluster/discovery/token-discovery.ts'
import type { JoinConfiguration } from '../../kubeadm/config/join-config.ts'
import { readShared, SHARED_SETTINGS, type SharedSettings } from '../../kubeadm/objects/network-objects.ts'
import { readFile } from '../../machine/files.ts'
import type { Journal } from '../../machine/journal.ts'
import { isLocalNode } from '../../machine/local-node/local-node.ts'
import { podNetworkOf } from '../../machine/network/pod-network.ts'
import {
  type BinariesSupply,
  type RuntimeSupply,
  supplyBinaries,
  supplyHost,
  supplyRuntime,
} from '../init/node-supply.ts'
import { type FirstLook, firstLook } from '../run/first-look.ts'
import { type OpenedPhase, openPhase } from '../run/open-phase.ts'
import type { RuntimeChanges } from '../run/runtime-plan.ts'
import { joinedText } from './joined-config.ts'
import type { OpenedJoin } from './open-join.ts'
import { explained, readAllowed } from './refused-identity.ts'

export interface JoinRun extends OpenedJoin {
  /** Whether all phases run, one after the other. */
  readonly isWhole: boolean
  readonly call: Call
  readonly journal: Journal
  readonly deadline: AbortSignal
  readonly timings: Timings
  readonly cluster: () => Promise<DiscoveredCluster>
  /** The cluster's API, as discovery identifies this machine. */
  readonly api: () => Promise<Api>
  /** The call, with `cni` as it is to be: the Pod network may be somebody else's. */
  readonly network: () => Promise<Call>
  /** This machine as a node of the cluster. */
  readonly node: () => Promise<OpenedPhase>
  /** What it has for nodes that join, where it is one of ours. */
  readonly shared: () => Promise<SharedSettings>
  /** The same, after a look at the machine. */
  readonly look: () => Promise<FirstLook>
  readonly supply: () => Promise<RuntimeChanges & BinariesSupply & RuntimeSupply>
  readonly close: () => Promise<void>
}

/** For all of it. */
const DEFAULT_TIMEOUT = '6m0s'

/** kubeadm's own limits mean minutes of silence; who sets another one means it. */
const DEFAULT_DISCOVERY = '5m0s'
const DEFAULT_API_CALL = '1m0s'
const PATIENCE_MS = 8_000

function patienceOf(limit: string, byDefault: string): number {
  return limit === byDefault ? PATIENCE_MS : timerMilliseconds(limit)
}

/** Where the configuration of the cluster stands, for messages. */
const STORED = 'ConfigMap kubeadm-config'

export function openRun(join: OpenedJoin, call: Call, journal: Journal, isWhole = true): JoinRun {
  const { config, role, dryRun } = join
  const timings = startTimings()
  const deadline = AbortSignal.timeout(timerMilliseconds(call.flags.timeout ?? DEFAULT_TIMEOUT))
  const opened: { readonly close: () => void }[] = []
  const cluster = once(async () => {
    const found = await discover(config, call)
    for (const notice of found.notices) call.output.say(notice)
    timings.mark('cluster found')
    return found
  })
  const api = once(async () => {
    const { server, ca, identity } = await cluster()
    const client = openApi({ server, ca, ...identity })
    opened.push(client)
    return client
  })
  const shared = once(async () => {
    const { cni } = call.flags
    // The agent of a machine serves the nodes in worlds on it; they know the rest by flags.
    const found = isLocalNode() ? undefined : await readAllowed(await api(), SHARED_SETTINGS)
    const settings = readShared(found)
    return cni === undefined ? settings : { ...settings, network: podNetworkOf(cni) }
  })
  // Somebody else's Pod network is left to them, unless it is asked for.
  const network = once(async (): Promise<Call> => {
    const { flags } = call
    const { network, registry } = await shared()
    const mirror = [flags.mirror, registry].filter(text => text !== undefined).join(',')
    return { ...call, flags: { ...flags, cni: network, ...(mirror !== '' && { mirror }) } }
  })
  const node = once(async () => {
    const client = await api()
    const limit = AbortSignal.timeout(patienceOf(config.timeouts.kubernetesAPICall, DEFAULT_API_CALL))
    call.output.say('[preflight] Reading the configuration of the cluster')
    const found = await cluster()
    const stored = await readStoredConfig(client, AbortSignal.any([limit, deadline])).catch((error: unknown) => {
      throw explained(error, found)
    })
    const { verbose, root } = call.flags
    const output = call.flags['output-dir'] ?? process.env.KUBEADM_JOIN_DRYRUN_DIR
    const flags = {
      ...(verbose !== undefined && { verbose }),
      ...(root !== undefined && { root }),
      ...(dryRun && { 'dry-run': true, ...(output && { 'output-dir': output }) }),
    }
    const text = joinedText(join, stored)
    const phase = openPhase({ ...call, flags }, { text, file: STORED, stored: true }, { joins: role })
    timings.mark('configuration read')
    return phase
  })
  const look = once(async () => firstLook(await node(), await network()))
  const supply = once(async () => {
    const run = { call: await network(), deadline, mark: timings.mark }
    const plan = await supplyHost(await node(), await look(), journal, run)
    const binaries = await supplyBinaries(await look(), plan, run)
    const found = await supplyRuntime(await look(), plan, binaries, run)
    opened.push(found.runtime.cri)
    return { ...plan, ...binaries, ...found }
  })
  return {
    ...join,
    isWhole,
    call,
    journal,
    deadline,
    timings,
    cluster,
    api,
    network,
    node,
    shared,
    look,
    supply,
    close: async () => {
      for (const connection of opened) connection.close()
    },
  }
}

function discover({ discovery, timeouts }: JoinConfiguration, { output }: Call): Promise<DiscoveredCluster> {
  const { bootstrapToken, file, tlsBootstrapToken } = discovery
  const patience = { patienceMs: patienceOf(timeouts.discovery, DEFAULT_DISCOVERY), say: output.say }
  if (bootstrapToken !== undefined) {
    return discoverByToken({
      endpoint: bootstrapToken.apiServerEndpoint ?? '',
      token: bootstrapToken.token,
      pins: bootstrapToken.caCertHashes ?? [],
      bootstrapToken: tlsBootstrapToken ?? bootstrapToken.token,
      ...patience,
    })
  }
  return discoverByFile({
    place: file?.kubeConfigPath ?? '',
    read: path => readFile('/', path),
    ...patience,
    ...(tlsBootstrapToken !== undefined && { bootstrapToken: tlsBootstrapToken }),
  })
}
