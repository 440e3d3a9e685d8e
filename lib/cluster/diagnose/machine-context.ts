/** What can be told of a cluster from the machine alone: for a diagnosis at any time, whatever is missing. */

import { isObject, type JsonObject } from '../../base/json.ts'
import { KUBERNETES, LAYOUT } from '../../base/paths.ts'
import { parse } from '../../base/yaml.ts'
import { listFolder, readFile } from '../../machine/files.ts'
import { readHostFacts } from '../../machine/host/read-facts.ts'
import { openJournal } from '../../machine/journal.ts'
import { serviceManager } from '../../machine/service/manager.ts'
import { type Api, openApi } from '../api/api-client.ts'
import { readCredentials } from '../api/kubeconfig-credentials.ts'
import { type DiagnosisContext, STATIC_PODS, type StaticPodImage } from './diagnosis-context.ts'

/** kubeconfigs by their rights, the strongest first: admin.conf has none until its binding exists. */
const KUBECONFIGS: readonly string[] = [KUBERNETES.superAdminConf, KUBERNETES.adminConf]

/** The context of the cluster on this machine, or of what is left of one. Never throws. */
export function machineContext(kubeconfig?: string): DiagnosisContext {
  const socket = clusterSocket()
  const api = openClusterApi(kubeconfig === undefined ? KUBECONFIGS : [kubeconfig])
  const { healthzPort } = yamlFile(`${KUBERNETES.kubelet}/config.yaml`)
  return {
    services: serviceManager(),
    ...(socket !== undefined && { cri: { socket } }),
    ...(api !== undefined && { api }),
    staticPods: staticPodImages(),
    nodeName: flagOfKubelet('hostname-override') ?? readHostFacts('/').hostname.trim().toLowerCase(),
    ...(typeof healthzPort === 'number' && { kubeletHealthPort: healthzPort }),
  }
}

/** The CRI socket of the cluster on this machine: as recorded, as the kubelet has it, or one that is there. */
export function clusterSocket(): string | undefined {
  const recorded = attempt(() =>
    openJournal(LAYOUT.journal)
      .changes()
      .find(({ kind }) => kind === 'runtime'),
  )
  if (recorded?.kind === 'runtime') return recorded.socket
  const configured = ['instance-config.yaml', 'config.yaml']
    .map(name => yamlFile(`${KUBERNETES.kubelet}/${name}`).containerRuntimeEndpoint)
    .find(value => typeof value === 'string' && value !== '')
  if (typeof configured === 'string') return configured
  return flagOfKubelet('container-runtime-endpoint') ?? readHostFacts('/').criSockets[0]
}

function staticPodImages(): StaticPodImage[] {
  const manifests = attempt(() => listFolder('/', KUBERNETES.manifests)) ?? []
  const pods = manifests
    .filter(name => name.endsWith('.yaml'))
    .map(name => {
      const { spec, metadata } = yamlFile(`${KUBERNETES.manifests}/${name}`)
      const containers = isObject(spec) && Array.isArray(spec.containers) ? spec.containers : []
      const [container] = containers as readonly JsonObject[]
      return { name: String(isObject(metadata) ? metadata.name : ''), image: String(container?.image ?? '') }
    })
  return STATIC_PODS.flatMap(name => pods.find(pod => pod.name === name) ?? [])
}

function openClusterApi(paths: readonly string[]): Api | undefined {
  for (const path of paths) {
    const api = attempt(() => {
      const text = readFile('/', path)
      return text === undefined ? undefined : openApi(readCredentials(text, path, file => readFile('/', file)))
    })
    if (api !== undefined) return api
  }
  return undefined
}

function flagOfKubelet(name: string): string | undefined {
  const text = attempt(() => readFile('/', `${KUBERNETES.kubelet}/kubeadm-flags.env`)) ?? ''
  return new RegExp(`--${name}=([^\\s"]+)`).exec(text)?.[1]
}

function yamlFile(path: string): JsonObject {
  const value = attempt(() => parse(readFile('/', path) ?? ''))
  return isObject(value) ? value : {}
}

// Half of it may be missing, damaged or somebody else's: then it is as if it were not there.
function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
