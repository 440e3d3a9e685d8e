/** The configuration of a cluster as it is stored in it, for nodes that join and for what comes after init. */
import { setTimeout as sleep } from 'node:timers/promises'
import { KubestepError } from '../../base/errors.ts'
import { isObject } from '../../base/json.ts'
import { isSince, parseVersion } from '../../base/version.ts'
import { parse } from '../../base/yaml.ts'
import { type Api, ApiError } from './api-client.ts'

export interface StoredConfig {
  /** Text of the ClusterConfiguration. */
  readonly cluster: string
  /** Text of the KubeletConfiguration. */
  readonly kubelet: string
  /** Text of the KubeProxyConfiguration; undefined without kube-proxy, or where it may not be read. */
  readonly kubeProxy?: string
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
  const cluster = kubeadm?.ClusterConfiguration
  if (cluster === undefined) {
    throw new KubestepError(
      `config: cannot read the configuration of the cluster at "${api.server}": it has no ConfigMap kubeadm-config; phase upload-config writes it`,
    )
  }
  const kubelet = await kubeletText(api, cluster, deadline)
  const kubeProxy = proxy?.['config.conf']
  return { cluster, kubelet, ...(kubeProxy !== undefined && { kubeProxy }) }
}

async function kubeletText(api: Api, cluster: string, deadline: AbortSignal): Promise<string> {
  const root = parse(cluster)
  const version = parseVersion(String(isObject(root) ? root.kubernetesVersion : ''))
  const versioned = version === undefined ? [] : [`kubelet-config-${version.major}.${version.minor}`]
  const names =
    version !== undefined && !isSince(version, UNVERSIONED)
      ? [...versioned, 'kubelet-config']
      : ['kubelet-config', ...versioned]
  const failures: unknown[] = []
  for (const name of names) {
    const data = await dataOf(api, name, deadline).catch((error: unknown) => void failures.push(error))
    if (data?.kubelet !== undefined) return data.kubelet
  }
  const [failure] = failures
  if (failure !== undefined) throw failure
  throw new KubestepError(
    `config: cannot read the kubelet's configuration: the cluster has no ConfigMap ${names.join(' or ')}; phase upload-config writes it`,
  )
}

async function dataOf(
  api: Api,
  name: string,
  deadline: AbortSignal,
): Promise<Readonly<Record<string, string>> | undefined> {
  for (;;) {
    try {
      const found = await api.get(`${CONFIG_MAPS}/${name}`)
      return found === undefined || !isObject(found.data) ? undefined : (found.data as Readonly<Record<string, string>>)
    } catch (error) {
      const mayPass = error instanceof ApiError && (error.status === 0 || error.status >= 500 || error.status === 429)
      if (!mayPass || deadline.aborted) throw error
      await sleep(POLL_MS)
    }
  }
}
