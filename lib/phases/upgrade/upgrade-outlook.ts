/** A cluster and the version that it is to have: what is read before anything is decided. */
import { KubestepError, UsageError } from '../../base/errors.ts'
import { isObject } from '../../base/json.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { KUBERNETES } from '../../base/paths.ts'
import { formatVersion, isOlder, parseVersion, type Version } from '../../base/version.ts'
import type { Call } from '../../cli/script.ts'
import { type Api, openApi } from '../../cluster/api/api-client.ts'
import { readCredentials } from '../../cluster/api/kubeconfig-credentials.ts'
import { patientApi } from '../../cluster/api/patient-api.ts'
import { runningVersions } from '../../cluster/api/running-versions.ts'
import { readStoredConfig } from '../../cluster/api/stored-config.ts'
import type { ClusterVersions } from '../../kubeadm/upgrade/plan.ts'
import {
  type StoredNode,
  type StoredTexts,
  storedCluster,
  storedInitConfig,
} from '../../kubeadm/upgrade/stored-cluster.ts'
import { readFile } from '../../machine/files.ts'
import type { HostFacts } from '../../machine/host/facts.ts'
import { readHostFacts } from '../../machine/host/read-facts.ts'
import { loadPatches } from '../run/user-patches.ts'
import type { FilePlan } from './planned-files.ts'
import { apiserverVersion, joinedMembers, thisNode } from './this-node.ts'
import type { UpgradeRequest } from './upgrade-request.ts'

export interface Outlook {
  readonly api: Api
  readonly facts: HostFacts
  readonly node: StoredNode
  readonly stored: StoredTexts
  /** What runs where; a worker may not see all of it, and knows nothing. */
  readonly running?: ClusterVersions
}

/** How long an API server that cannot answer just now is asked. */
const PATIENCE_MS = 10_000

export const readHere = (path: string): string | undefined => readFile('/', path)

/** Opens the cluster of this machine; `close` its API. Throws a KubestepError and an ApiError. */
export async function readOutlook({ flags }: Pick<Call, 'flags'>): Promise<Outlook> {
  const facts = readHostFacts('/')
  const node = thisNode(readHere, facts.hostname)
  const isControlPlane = node.endpoint !== undefined
  const file = flags.kubeconfig ?? (isControlPlane ? KUBERNETES.adminConf : KUBERNETES.kubeletConf)
  const text = readHere(file)
  if (text === undefined) {
    throw new KubestepError(
      `upgrade: cannot read "${file}": it does not exist; run it on a node of the cluster, or name a kubeconfig with --kubeconfig`,
    )
  }
  const api = openApi(readCredentials(text, file, readHere))
  try {
    const deadline = AbortSignal.timeout(PATIENCE_MS)
    const patient = patientApi(api, deadline)
    const [stored, running] = await Promise.all([
      readStoredConfig(api, deadline),
      isControlPlane || flags.kubeconfig !== undefined ? runningVersions(patient) : undefined,
    ])
    return { api, facts, node, stored, ...(running !== undefined && { running }) }
  } catch (error) {
    api.close()
    throw error
  }
}

/** The version to go to: as asked for, else the one that the cluster has or is on its way to. Throws a UsageError. */
export function targetVersion({ stored }: Outlook, { command, version, steps }: UpgradeRequest): string {
  const present = String(storedCluster(stored).kubernetesVersion)
  if (command === 'node' || (version === undefined && !steps.includes('preflight'))) return present
  if (version !== undefined) return version
  throw new UsageError('upgrade: cannot apply: no version is named; name one, as in "upgrade apply v1.36.2"')
}

/** What the files of this node are rendered from, on the way to a version. Throws a ConfigError, and an ApiError. */
export async function filePlan(
  { api, facts, node, stored, running }: Outlook,
  { patches, timeouts }: Pick<UpgradeRequest, 'patches' | 'timeouts'>,
  version: string,
  { output }: Pick<Call, 'output'>,
): Promise<FilePlan> {
  const isControlPlane = node.endpoint !== undefined
  const kubelet = await kubeletVersion(api, node)
  const present = apiserverVersion(readHere)
  const from = present === undefined ? kubelet : formatVersion(present)
  const configOf = (release: string, patched: StoredNode): InitConfig => {
    const config = storedInitConfig(stored, patched, release, facts)
    return { ...config, init: { ...config.init, timeouts } }
  }
  const to = configOf(version, { ...node, ...(patches !== undefined && { patches }) })
  return {
    from: configOf(from, node),
    kubeletFrom: configOf(kubeletRelease(kubelet, present), node),
    addonsFrom: configOf(running?.kubeProxy ?? from, node),
    to,
    facts,
    read: readHere,
    apply: loadPatches({ config: to }, output),
    etcdMembers: joinedMembers(readHere),
    isControlPlane,
  }
}

/** Whose files a kubelet has: where its package was upgraded ahead of the cluster, still those of the API server's release. */
export function kubeletRelease(kubelet: string, apiserver: Version | undefined): string {
  const own = parseVersion(kubelet)
  const isAhead = apiserver !== undefined && own !== undefined && isOlder(apiserver, own)
  return isAhead ? formatVersion(apiserver) : kubelet
}

async function kubeletVersion(api: Api, { name }: StoredNode): Promise<string> {
  const { status } = (await api.get(`/api/v1/nodes/${name}`)) ?? {}
  const version = isObject(status) && isObject(status.nodeInfo) ? status.nodeInfo.kubeletVersion : undefined
  if (typeof version === 'string') return version
  throw new KubestepError(
    `upgrade: cannot find node "${name}" in the cluster: this machine is none of its nodes; join it first`,
  )
}
