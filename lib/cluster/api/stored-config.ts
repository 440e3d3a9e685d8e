/** The configuration of a cluster as it is stored in it, for nodes that join and for what comes after init. */
import { setTimeout as sleep } from 'node:timers/promises'
import { KubestepError } from '../../base/errors.ts'
import { isObject } from '../../base/json.ts'
import { isSince, parseVersion } from '../../base/version.ts'
import { parse } from '../../base/yaml.ts'
import { isSigned } from '../../kubeadm/objects/config-map.ts'
import { type Api, ApiError } from './api-client.ts'

export interface StoredConfig {
  /** Text of the ClusterConfiguration. */
  readonly cluster: string
  /** Text of the KubeletConfiguration. */
  readonly kubelet: string
  /** Text of the KubeProxyConfiguration; undefined without kube-proxy, or where it may not be read. */
  readonly kubeProxy?: string
  /** Which of the two somebody wrote; kubeadm may write the others anew. */
  readonly userSupplied: { readonly kubelet: boolean; readonly kubeProxy: boolean }
}

const CONFIG_MAPS = '/api/v1/namespaces/kube-system/configmaps'
const POLL_MS = 100

/** Until then the kubelet's ConfigMap had the minor version in its name. Source: phases/kubelet/config.go (v1.24, v1.25). */
const UNVERSIONED = '1.24'

/**
 * Reads it; an API server that cannot answer just now is asked again until the deadline. Throws an ApiError or a
 * KubestepError. Source: kubeadm util/config/cluster.go (v1.36).
 */
export async function readStoredConfig(api: Api, deadline: AbortSignal): Promise<StoredConfig> {
  const [kubeadm, proxy] = await Promise.all([
    dataOf(api, 'kubeadm-config', deadline),
    dataOf(api, 'kube-proxy', deadline).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 403) return undefined
      throw error
    }),
  ])
  const cluster = kubeadm?.data.ClusterConfiguration
  if (cluster === undefined) {
    throw new KubestepError(
      `config: cannot read the configuration of the cluster at "${api.server}": it has no ConfigMap kubeadm-config; phase upload-config writes it`,
    )
  }
  const { text: kubelet, isSigned: isGenerated } = await kubeletText(api, cluster, deadline)
  const kubeProxy = proxy?.data['config.conf']
  const userSupplied = { kubelet: !isGenerated, kubeProxy: proxy !== undefined && !proxy.isSigned }
  return { cluster, kubelet, ...(kubeProxy !== undefined && { kubeProxy }), userSupplied }
}

async function kubeletText(
  api: Api,
  cluster: string,
  deadline: AbortSignal,
): Promise<{ readonly text: string; readonly isSigned: boolean }> {
  const root = parse(cluster)
  const version = parseVersion(String(isObject(root) ? root.kubernetesVersion : ''))
  const versioned = version === undefined ? [] : [`kubelet-config-${version.major}.${version.minor}`]
  const names =
    version !== undefined && !isSince(version, UNVERSIONED)
      ? [...versioned, 'kubelet-config']
      : ['kubelet-config', ...versioned]
  const failures: unknown[] = []
  for (const name of names) {
    const found = await dataOf(api, name, deadline).catch((error: unknown) => void failures.push(error))
    if (found?.data.kubelet !== undefined) return { text: found.data.kubelet, isSigned: found.isSigned }
  }
  const [failure] = failures
  if (failure !== undefined) throw failure
  throw new KubestepError(
    `config: cannot read the kubelet's configuration: the cluster has no ConfigMap ${names.join(' or ')}; phase upload-config writes it`,
  )
}

interface StoredMap {
  readonly data: Readonly<Record<string, string>>
  readonly isSigned: boolean
}

async function dataOf(api: Api, name: string, deadline: AbortSignal): Promise<StoredMap | undefined> {
  for (;;) {
    try {
      const found = await api.get(`${CONFIG_MAPS}/${name}`)
      if (found === undefined || !isObject(found.data)) return undefined
      return { data: found.data as StoredMap['data'], isSigned: isSigned(found) }
    } catch (error) {
      const mayPass = error instanceof ApiError && (error.status === 0 || error.status >= 500 || error.status === 429)
      if (!mayPass || deadline.aborted) throw error
      await sleep(POLL_MS)
    }
  }
}
