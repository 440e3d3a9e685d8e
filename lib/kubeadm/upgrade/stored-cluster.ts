/** The configuration that a cluster was set up with, from its ConfigMaps, as a configuration of one node and one version. */
import { isObject, type JsonObject } from '../../base/json.ts'
import type { ApiEndpoint, InitConfig } from '../../base/kubeadm.ts'
import { parseVersion } from '../../base/version.ts'
import { parse, stringify } from '../../base/yaml.ts'
import type { HostFacts } from '../../machine/host/facts.ts'
import { loadInitConfig } from '../config/load-config.ts'
import { DEFAULT_REPOSITORIES, defaultImageRepository } from '../images/image-versions.ts'

/** Texts of the documents; undefined where there is none, or where it may not be read. */
export interface StoredTexts {
  readonly cluster: string
  readonly kubelet?: string
  readonly kubeProxy?: string
  readonly userSupplied: { readonly kubelet: boolean; readonly kubeProxy: boolean }
}

/** What the cluster's configuration does not say of a node. */
export interface StoredNode {
  readonly name: string
  readonly criSocket: string
  /** Absent on a node without an API server. */
  readonly endpoint?: ApiEndpoint
  readonly patches?: string
}

/**
 * What an init of that version on that node would be decided from. Component configurations that nobody wrote stay
 * nobody's. Throws a ConfigError for what this project cannot read or the version does not know.
 */
export function storedInitConfig(stored: StoredTexts, node: StoredNode, version: string, facts: HostFacts): InitConfig {
  const { kubelet, kubeProxy, userSupplied } = stored
  const cluster = { ...withRepository(storedCluster(stored), version), kubernetesVersion: version }
  const init = {
    apiVersion: 'kubeadm.k8s.io/v1beta4',
    kind: 'InitConfiguration',
    nodeRegistration: { name: node.name, criSocket: node.criSocket, taints: [] },
    ...(node.endpoint !== undefined && { localAPIEndpoint: { ...node.endpoint } }),
    ...(node.patches !== undefined && { patches: { directory: node.patches } }),
  }
  const documents = [stringify(init), stringify(cluster), ...[kubelet, kubeProxy].filter(text => text !== undefined)]
  const source = {
    text: documents.join('\n---\n'),
    file: 'ConfigMap kubeadm-config',
    stored: true,
    detectCriSocket: false,
  }
  const { config } = loadInitConfig(source, facts)
  return {
    ...config,
    init: { ...config.init, bootstrapTokens: [] },
    kubelet: { ...config.kubelet, userSupplied: userSupplied.kubelet },
    kubeProxy: { ...config.kubeProxy, userSupplied: userSupplied.kubeProxy },
  }
}

/** The default registry of an older release is nobody's choice. Source: kubeadm k/k PR 110343 (v1.25), in back-ports with the registry itself. */
function withRepository(cluster: JsonObject, version: string): JsonObject {
  const release = parseVersion(version)
  const isDefault = Object.values(DEFAULT_REPOSITORIES).some(repository => repository === cluster.imageRepository)
  return release !== undefined && isDefault ? { ...cluster, imageRepository: defaultImageRepository(release) } : cluster
}

/** The ClusterConfiguration as it is stored. */
export function storedCluster({ cluster }: Pick<StoredTexts, 'cluster'>): JsonObject {
  const value = parse(cluster)
  return isObject(value) ? value : {}
}
