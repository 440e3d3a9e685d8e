/**
 * kind's Cluster file (v1alpha4), as what it means here: nodes, a kubeadm configuration, options of init. What it cannot
 * mean is named, all of it at once. Source: kind pkg/apis/config/v1alpha4/types.go, default.go (v0.32).
 */
import { parseAddress } from '../../base/address.ts'
import { ConfigError, type Fault } from '../../base/errors.ts'
import { isObject, type JsonObject } from '../../base/json.ts'
import { type Path, parseDocuments } from '../../base/yaml.ts'
import { type KindNode, kindNode } from './kind-node.ts'
import { joinBoth, kubeadmPatches, mergeDocuments, type PatchDocuments } from './kubeadm-patches.ts'
import type { Complain, NodeSpec } from './node-spec.ts'
import { complaints, fieldsOf, itemsOf } from './node-spec.ts'
import { checkNodes, ONE_VERSION } from './whole-list.ts'

export interface KindCluster {
  readonly nodes: readonly NodeSpec[]
  /** What it says of the cluster, as kubeadm has it. */
  readonly documents: PatchDocuments
  /** Options of init. */
  readonly flags: Readonly<{ cni?: 'none'; 'skip-phases'?: string }>
}

const API = 'kind.x-k8s.io/v1alpha4'

const NETWORKING: readonly string[] = [
  'ipFamily',
  'apiServerPort',
  'apiServerAddress',
  'podSubnet',
  'serviceSubnet',
  'disableDefaultCNI',
  'kubeProxyMode',
  'dnsSearch',
]
const FIELDS: readonly string[] = [
  'kind',
  'apiVersion',
  'name',
  'nodes',
  'networking',
  'featureGates',
  'runtimeConfig',
  'kubeadmConfigPatches',
  'kubeadmConfigPatchesJSON6902',
  'containerdConfigPatches',
  'containerdConfigPatchesJSON6902',
]

/** What kind gives Pods and Services in each family. */
const SUBNETS: Readonly<Record<string, { readonly pods: string; readonly services: string }>> = {
  ipv6: { pods: 'fd00:10:244::/56', services: 'fd00:10:96::/112' },
  dual: { pods: '10.244.0.0/16,fd00:10:244::/56', services: '10.96.0.0/16,fd00:10:96::/112' },
}

/** Reads it; `whole` makes a path whole that is relative to the file's reader. Throws a ConfigError with all faults. */
export function readKindCluster(text: string, file: string, whole: (path: string) => string): KindCluster {
  const documents = parseDocuments(text, file).filter(({ value }) => value !== null)
  const [document] = documents
  if (document === undefined || !isObject(document.value)) {
    const faults: Fault[] = documents.flatMap(one => one.faults)
    const reason = `it is no configuration of kind; begin it with "kind: Cluster" and "apiVersion: ${API}"`
    throw new ConfigError(faults.length > 0 ? faults : [{ file, field: '', reason }])
  }
  const { faults, complain } = complaints(document, file, 'Cluster')
  if (documents.length > 1) complain([], 'there are several documents; keep the one of kind')
  const cluster = fieldsOf(document.value, FIELDS, [], complain)
  if (cluster.kind !== 'Cluster') complain(['kind'], 'it is not "Cluster"; name a configuration of kind', cluster.kind)
  if (cluster.apiVersion !== API)
    complain(['apiVersion'], `it is not ${API}; write the file in that version`, cluster.apiVersion)
  const written = itemsOf(cluster.nodes, ['nodes'], complain)
  const nodes = (written.length === 0 ? [{}] : written).map((node, index) =>
    kindNode(node, ['nodes', index], { whole, scalarAt: document.scalarAt }, complain),
  )
  const first = nodes.find(({ spec }) => spec.role === 'control-plane')
  const version = clusterVersion(nodes, complain)
  const everywhere = kubeadmPatches(cluster.kubeadmConfigPatches, ['kubeadmConfigPatches'], complain)
  const network = networking(cluster, complain)
  foreign(cluster, complain)
  const config = mergeDocuments([
    ...(version === undefined ? [] : [{ ClusterConfiguration: { kubernetesVersion: version } }]),
    typeof cluster.name === 'string' && cluster.name !== ''
      ? { ClusterConfiguration: { clusterName: cluster.name } }
      : {},
    network.documents,
    switches(cluster, complain),
    everywhere.documents,
    first?.patches ?? {},
  ])
  const specs = nodes.map(({ spec, joining, version: own }) =>
    spec === first?.spec
      ? spec
      : {
          ...spec,
          ...[everywhere.joining, joining].reduce(joinBoth, { labels: spec.labels }),
          ...(spec.role === 'worker' && own !== undefined && own !== version && { version: own }),
        },
  )
  const ordered = checkNodes(specs, ['nodes'], complain, { ports: 'extraPortMappings', folders: 'extraMounts' })
  const all = [...document.faults, ...faults]
  if (all.length > 0) throw new ConfigError(all)
  return { nodes: ordered, documents: config, flags: network.flags }
}

/** What the images of control planes say. */
function clusterVersion(nodes: readonly KindNode[], complain: Complain): string | undefined {
  const versions = nodes.map(({ spec, version }) => (spec.role === 'control-plane' ? version : undefined))
  const first = versions.find(version => version !== undefined)
  for (const [index, version] of versions.entries()) {
    if (version !== undefined && version !== first) complain(['nodes', index, 'image'], ONE_VERSION, version)
  }
  return first
}

interface Networking {
  readonly documents: PatchDocuments
  readonly flags: KindCluster['flags']
}

function networking(cluster: JsonObject, complain: Complain): Networking {
  const path = ['networking']
  const given = fieldsOf(cluster.networking, NETWORKING, path, complain)
  const text = (name: string): string => (typeof given[name] === 'string' ? (given[name] as string) : '')
  const one = (name: string, known: readonly string[]): string => {
    const value = given[name] ?? ''
    if (value !== '' && !known.includes(String(value)))
      complain([...path, name], `it is none of ${known.join(', ')}`, value)
    return String(value)
  }
  const family = one('ipFamily', ['ipv4', 'ipv6', 'dual'])
  const mode = one('kubeProxyMode', ['iptables', 'ipvs', 'nftables', 'none'])
  if (given.dnsSearch !== undefined && given.dnsSearch !== null)
    complain([...path, 'dnsSearch'], "nodes have the machine's own resolv.conf; set it there, and leave this out")
  const address = text('apiServerAddress')
  const parsed = address === '' ? undefined : parseAddress(address)
  if (address !== '' && parsed === undefined) complain([...path, 'apiServerAddress'], 'it is no address', address)
  const port = given.apiServerPort
  const isPort = typeof port === 'number' && port > 0
  const pods = text('podSubnet') || SUBNETS[family]?.pods
  const services = text('serviceSubnet') || SUBNETS[family]?.services
  const isElsewhere = parsed !== undefined && !/^(?:127\.|0\.0\.0\.0$|::1?$)/.test(address)
  return {
    documents: {
      ClusterConfiguration: {
        ...((pods || services) && {
          networking: { ...(pods && { podSubnet: pods }), ...(services && { serviceSubnet: services }) },
        }),
        // Every API server listens everywhere; who comes by an address looks for it in the certificate.
        ...(isElsewhere && { apiServer: { certSANs: [address] } }),
      },
      ...(isPort && { InitConfiguration: { localAPIEndpoint: { bindPort: port } } }),
      ...(mode !== '' && mode !== 'none' && { KubeProxyConfiguration: { mode } }),
    },
    flags: {
      ...(given.disableDefaultCNI === true && { cni: 'none' as const }),
      ...(mode === 'none' && { 'skip-phases': 'addon/kube-proxy' }),
    },
  }
}

/** Feature gates for all components, and APIs that are served. */
function switches({ featureGates, runtimeConfig }: JsonObject, complain: Complain): PatchDocuments {
  const gates = pairs(
    featureGates,
    ['featureGates'],
    value => typeof value === 'boolean',
    'write true or false',
    complain,
  )
  const apis = pairs(
    runtimeConfig,
    ['runtimeConfig'],
    value => typeof value !== 'object',
    'write true or false',
    complain,
  )
  const join = (all: JsonObject): string =>
    Object.entries(all)
      .map(([name, value]) => `${name}=${value}`)
      .join(',')
  const gated = Object.keys(gates).length > 0
  const argument = gated ? [{ name: 'feature-gates', value: join(gates) }] : []
  const served = Object.keys(apis).length > 0 ? [{ name: 'runtime-config', value: join(apis) }] : []
  if (!gated && served.length === 0) return {}
  return {
    ClusterConfiguration: {
      apiServer: { extraArgs: [...argument, ...served] },
      ...(gated && { controllerManager: { extraArgs: argument }, scheduler: { extraArgs: argument } }),
    },
    ...(gated && { KubeletConfiguration: { featureGates: gates }, KubeProxyConfiguration: { featureGates: gates } }),
  }
}

function pairs(
  value: JsonObject[string],
  path: Path,
  isGood: (value: unknown) => boolean,
  advice: string,
  complain: Complain,
): JsonObject {
  if (value === undefined || value === null) return {}
  if (!isObject(value)) {
    complain(path, 'it is not a mapping of names and values', value)
    return {}
  }
  for (const [name, item] of Object.entries(value)) if (!isGood(item)) complain([...path, name], advice, item)
  return value
}

/** What a containerd of our own does anyway: tables of its configuration, with what is in them. */
const FULFILLED: readonly RegExp[] = [
  // Source: kind's guide to a local registry; Kubernetes' test/e2e/dra/kind.yaml (v1.36).
  /^\[plugins\.["']io\.containerd\.(?:grpc\.v1\.cri|cri\.v1\.images)["']\.registry\]\s+config_path\s*=\s*["']\/etc\/containerd\/certs\.d["']$/,
  /^\[plugins\.["']io\.containerd\.(?:grpc\.v1\.cri|cri\.v1\.runtime)["']\]\s+enable_cdi\s*=\s*true$/,
]

/** What nothing here stands for. */
function foreign(cluster: JsonObject, complain: Complain): void {
  const none = (name: string, advice: string): void => {
    if (itemsOf(cluster[name], [name], complain).length > 0) complain([name], advice)
  }
  none('kubeadmConfigPatchesJSON6902', 'such patches are not taken; write them as kubeadmConfigPatches')
  const runtime =
    "containerd's configuration is kubestep's own; a registry without TLS is --registry, mirrors are --mirror"
  const patches = itemsOf(cluster.containerdConfigPatches, ['containerdConfigPatches'], complain)
  for (const [index, patch] of patches.entries())
    if (!FULFILLED.some(text => text.test(String(patch).trim()))) complain(['containerdConfigPatches', index], runtime)
  none('containerdConfigPatchesJSON6902', runtime)
}
