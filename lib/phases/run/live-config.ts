/**
 * The configuration of a cluster that is there: what --config says, else what the cluster has stored, else what this
 * node's files tell. Source: kubeadm cmd/certs.go getInternalCfg, util/config/cluster.go (v1.36).
 */

import { resolve } from 'node:path'
import { within } from '../../base/deadline.ts'
import { KubestepError } from '../../base/errors.ts'
import { isObject, type JsonObject } from '../../base/json.ts'
import type { ApiEndpoint, InitConfig } from '../../base/kubeadm.ts'
import { KUBERNETES } from '../../base/paths.ts'
import { parseVersion } from '../../base/version.ts'
import { parse, stringify } from '../../base/yaml.ts'
import type { Call } from '../../cli/script.ts'
import { openApi } from '../../cluster/api/api-client.ts'
import { readCredentials } from '../../cluster/api/kubeconfig-credentials.ts'
import { readStoredConfig } from '../../cluster/api/stored-config.ts'
import { loadInitConfig } from '../../kubeadm/config/load-config.ts'
import { clientOf } from '../../kubeadm/credentials/existing-kubeconfig.ts'
import { podArgument } from '../../kubeadm/manifests/written-pod.ts'
import { readFile } from '../../machine/files.ts'
import type { HostFacts } from '../../machine/host/facts.ts'
import { readHostFacts } from '../../machine/host/read-facts.ts'
import { readConfigFile } from './open-phase.ts'

export interface LiveConfig {
  readonly config: InitConfig
  readonly facts: HostFacts
  readonly from: 'file' | 'cluster' | 'node'
  readonly root: string
  /** The content of a file of the host. */
  readonly read: (path: string) => string | undefined
}

type Read = LiveConfig['read']

/** A cluster that has gone is not waited for. kubeadm asks again for as long, and gives what it asked its whole time. */
const RETRY_MS = 350
const PATIENCE_MS = 3000

/**
 * Reads it; `what` is the command, `say` hears where it is read from, as with kubeadm. --cert-dir wins over everything.
 * Throws a ConfigError for a file that is wrong, and what reading it throws.
 */
export async function liveConfig(call: Call, what: string, say: (line: string) => void): Promise<LiveConfig> {
  const { flags, output } = call
  const root = resolve(flags.root ?? '/')
  const read: Read = path => readFile(root, path)
  const facts = readHostFacts(root)
  const load = (text: string, file: string, stored = true): InitConfig => {
    const loaded = loadInitConfig({ text, file, stored, detectCriSocket: false, guessNames: true }, facts)
    for (const notice of loaded.notices) output.warn(notice)
    const { 'cert-dir': certificatesDir } = flags
    const { config } = loaded
    return certificatesDir === undefined ? config : { ...config, cluster: { ...config.cluster, certificatesDir } }
  }
  const done = (config: InitConfig, from: LiveConfig['from']): LiveConfig => ({ config, facts, from, root, read })
  if (flags.config !== undefined) {
    const { text, file } = readConfigFile(flags.config)
    return done(load(text, file, false), 'file')
  }
  const kubeconfig = flags.kubeconfig ?? KUBERNETES.adminConf
  const identity = flags.kubeconfig === undefined ? read(kubeconfig) : readFile('/', resolve(kubeconfig))
  if (identity !== undefined && root === '/') {
    say(`[${what}] Reading configuration from the "kubeadm-config" ConfigMap in namespace "kube-system"...`)
    say(`[${what}] Use 'upload-config kubeadm --config your-config-file' to re-upload it.`)
    try {
      const config = load(withNode(await storedText(identity, kubeconfig, read), read), 'ConfigMap kubeadm-config')
      say('')
      return done(config, 'cluster')
    } catch (error) {
      if (!(error instanceof KubestepError)) throw error
      output.detail(error.message)
      say(`[${what}] Error reading configuration from the Cluster. Falling back to what this node has\n`)
    }
  }
  return done(load(withNode(stringify(clusterOfNode(read)), read), "this node's files"), 'node')
}

/** The ClusterConfiguration that the cluster has stored. Throws a KubestepError. */
async function storedText(kubeconfig: string, file: string, read: Read): Promise<string> {
  const api = openApi(readCredentials(kubeconfig, file, read))
  try {
    const reading = readStoredConfig(api, AbortSignal.timeout(RETRY_MS))
    return (await within(AbortSignal.timeout(PATIENCE_MS), 'config', reading)).cluster
  } finally {
    api.close()
  }
}

/** A ClusterConfiguration with what only this node knows: its name, and where its API server listens. */
function withNode(text: string, read: Read): string {
  const cluster = parse(text)
  const apiVersion = isObject(cluster) ? String(cluster.apiVersion) : ''
  const name = nodeName(read)
  const localAPIEndpoint = advertisedEndpoint(read)
  const init = {
    apiVersion,
    kind: 'InitConfiguration',
    ...(name !== undefined && { nodeRegistration: { name } }),
    ...(localAPIEndpoint !== undefined && { localAPIEndpoint: { ...localAPIEndpoint } }),
  }
  return `${text.trimEnd()}\n---\n${stringify(init)}`
}

/** Where this node's API server says that it listens; undefined when there is none. */
export function advertisedEndpoint(read: Read): ApiEndpoint | undefined {
  const endpoint = annotationsOf(apiServerPod(read))['kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint']
  const [, advertiseAddress = '', bindPort = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(String(endpoint ?? '')) ?? []
  return advertiseAddress === '' ? undefined : { advertiseAddress, bindPort: Number(bindPort) }
}

/** Whom kubelet.conf speaks for, or what the kubelet is told to be called; undefined where neither says it. */
export function nodeName(read: Read): string | undefined {
  const { kubeletConf: path, kubeletFlags } = KUBERNETES
  let name = ''
  try {
    name = clientOf({ path, text: read(path) ?? '' }, read).certificates?.[0].subject.commonName ?? ''
  } catch {
    // It may be damaged, or gone; kubeadm writes a name that is not the host's down a second time.
  }
  return /^system:node:(.+)$/.exec(name)?.[1] ?? /--hostname-override=([^\s"]+)/.exec(read(kubeletFlags) ?? '')?.[1]
}

/** What the API server's static Pod tells of its cluster. */
function clusterOfNode(read: Read): JsonObject {
  const pod = apiServerPod(read)
  const [container] = (
    isObject(pod.spec) && Array.isArray(pod.spec.containers) ? pod.spec.containers : []
  ) as readonly (JsonObject | undefined)[]
  const argument = (name: string): string | undefined => podArgument(pod, name)
  const version = /:(v[^:@/]+)(?:@|$)/.exec(String(container?.image ?? ''))?.[1] ?? ''
  const certificatesDir = /^(.+)\/ca\.crt$/.exec(argument('client-ca-file') ?? '')?.[1]
  const serviceSubnet = argument('service-cluster-ip-range')
  const [caFile = '', certFile = '', keyFile = ''] = ['cafile', 'certfile', 'keyfile'].map(one =>
    argument(`etcd-${one}`),
  )
  const endpoints = argument('etcd-servers')?.split(',')
  const isElsewhere = endpoints !== undefined && read(`${KUBERNETES.manifests}/etcd.yaml`) === undefined
  return {
    apiVersion: 'kubeadm.k8s.io/v1beta4',
    kind: 'ClusterConfiguration',
    ...(parseVersion(version) !== undefined && { kubernetesVersion: version }),
    ...(certificatesDir !== undefined && { certificatesDir }),
    ...(serviceSubnet !== undefined && { networking: { serviceSubnet } }),
    ...(isElsewhere && { etcd: { external: { endpoints, caFile, certFile, keyFile } } }),
  }
}

function apiServerPod(read: Read): JsonObject {
  try {
    const pod = parse(read(`${KUBERNETES.manifests}/kube-apiserver.yaml`) ?? '')
    return isObject(pod) ? pod : {}
  } catch {
    return {}
  }
}

function annotationsOf({ metadata }: JsonObject): JsonObject {
  return isObject(metadata) && isObject(metadata.annotations) ? metadata.annotations : {}
}
