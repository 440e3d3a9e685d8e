/** Containers of Pods in a runtime, with what the kubelet noted on them. */
import type { JsonObject } from '../../base/json.ts'
import type { Cri } from './cri-client.ts'

export interface PodContainer {
  readonly id: string
  /** Name within the Pod, e.g. `kube-apiserver`. */
  readonly name: string
  readonly pod: string
  /** Of the Pod; that of a static one is not its mirror's. */
  readonly uid: string
  /** Id of the Pod's sandbox. */
  readonly sandbox: string
  readonly namespace: string
  readonly attempt: number
  readonly state: 'created' | 'running' | 'exited' | 'unknown'
  readonly createdAt: number
}

const STATES = ['created', 'running', 'exited', 'unknown'] as const

/** Every container of every Pod, the newest attempt of each first. Throws a CriError. */
export async function podContainers(cri: Cri): Promise<PodContainer[]> {
  const { containers } = await cri.call('ListContainers')
  return ((containers ?? []) as readonly JsonObject[])
    .map(container => {
      const labels = (container.labels ?? {}) as JsonObject
      const metadata = (container.metadata ?? {}) as JsonObject
      return {
        id: String(container.id),
        name: String(metadata.name ?? ''),
        attempt: Number(metadata.attempt ?? 0),
        sandbox: String(container.podSandboxId ?? ''),
        pod: String(labels['io.kubernetes.pod.name'] ?? ''),
        uid: String(labels['io.kubernetes.pod.uid'] ?? ''),
        namespace: String(labels['io.kubernetes.pod.namespace'] ?? ''),
        state: STATES[Number(container.state ?? 3)] ?? 'unknown',
        createdAt: Number(container.createdAt ?? 0),
      }
    })
    .sort((a, b) => b.createdAt - a.createdAt)
}

/** How long a container gets to end, as the kubelet gives it. */
const GRACE_SECONDS = 30

/** Ends a container; a kubelet that runs starts another in its place. Throws a CriError. */
export async function endContainer(cri: Cri, containerId: string, graceSeconds: number = GRACE_SECONDS): Promise<void> {
  await cri.call('StopContainer', { containerId, timeout: graceSeconds }, (graceSeconds + 10) * 1000)
}

export interface ContainerEnd {
  readonly exitCode: number
  readonly reason: string
  readonly message: string
  /** How long it ran; 0 when it could not even be started. */
  readonly livedMs: number
  /** Milliseconds since 1970. */
  readonly endedAt: number
  /** Where its output lies on this machine. */
  readonly logPath: string
}

/** How a container ended, or where it logs. Throws a CriError. */
export async function containerEnd(cri: Cri, containerId: string): Promise<ContainerEnd> {
  const { status } = await cri.call('ContainerStatus', { containerId })
  const { exitCode, reason, message, logPath, startedAt, finishedAt } = (status ?? {}) as JsonObject
  const [started, finished] = [Number(startedAt ?? 0), Number(finishedAt ?? 0)]
  return {
    exitCode: Number(exitCode ?? 0),
    reason: String(reason ?? ''),
    message: String(message ?? ''),
    livedMs: started > 0 && finished > started ? (finished - started) / 1e6 : 0,
    endedAt: finished / 1e6,
    logPath: String(logPath ?? ''),
  }
}

/**
 * Pid of a container's first process, in the namespace of the runtime; undefined when the runtime does not say.
 * Source: containerd pkg/cri/server/container_status.go, CRI-O server/container_status.go: `pid` in the JSON of `info`.
 */
export async function containerPid(cri: Cri, containerId: string): Promise<number | undefined> {
  const { info } = await cri.call('ContainerStatus', { containerId, verbose: true })
  const { pid } = JSON.parse(String((info as JsonObject | undefined)?.info ?? '{}')) as JsonObject
  return typeof pid === 'number' && pid > 0 ? pid : undefined
}
