/**
 * The chain from an empty machine to a ready cluster, link by link. When something does not come up, the first
 * broken link is the cause and the later ones are its symptoms.
 */
import { readFileSync } from 'node:fs'
import { get } from 'node:http'
import type { Api } from '../api/client.ts'
import type { Cri } from '../cri/client.ts'
import { containerEnd, type PodContainer, podContainers } from '../cri/containers.ts'
import { reasonOf } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import { presentImages } from '../runtime/images.ts'
import { KUBELET } from '../service/kubelet.ts'
import type { ServiceManager } from '../service/service.ts'
import { tellingLines } from './log-lines.ts'

export interface DiagnosisContext {
  readonly services: ServiceManager
  /** undefined when the runtime could not be opened. */
  readonly cri?: Cri
  readonly api: Api
  /** Static Pods and their images, in the order in which they depend on each other. */
  readonly staticPods: readonly { readonly name: string; readonly image: string }[]
  readonly pauseImage: string
}

/** What is broken: one line of cause, and the last words of whoever it is. */
export interface Broken {
  readonly link: string
  readonly cause: string
  readonly lines: readonly string[]
}

interface Link {
  readonly name: string
  readonly look: (context: DiagnosisContext) => Promise<Omit<Broken, 'link'> | undefined>
}

const TAIL = 8

export const LINKS: readonly Link[] = [
  {
    name: 'runtime',
    look: async ({ cri }) => {
      if (cri === undefined) return { cause: 'the container runtime does not answer', lines: [] }
      await cri.call('Version')
      return undefined
    },
  },
  {
    name: 'images',
    look: async ({ cri, staticPods, pauseImage }) => {
      if (cri === undefined) return undefined
      const present = await presentImages(cri)
      const missing = [pauseImage, ...staticPods.map(({ image }) => image)].filter(image => !present.has(image))
      return missing.length === 0 ? undefined : { cause: `not on this machine: ${missing.join(', ')}`, lines: [] }
    },
  },
  {
    name: 'kubelet',
    look: async ({ services }) => {
      const verdict = await kubeletHealth()
      if (verdict === undefined) return undefined
      return {
        cause: `the kubelet is not healthy: ${verdict}`,
        lines: tellingLines(await services.log(KUBELET, 400), TAIL),
      }
    },
  },
  {
    name: 'static Pods',
    look: async ({ cri, staticPods, services }) => {
      if (cri === undefined) return undefined
      const containers = await podContainers(cri)
      for (const { name } of staticPods) {
        const broken = await brokenContainer(cri, containers, name)
        if (broken !== undefined) return broken
        if (!containers.some(container => container.name === name)) {
          const lines = tellingLines(await services.log(KUBELET, 400), TAIL)
          return { cause: `the kubelet has not started ${name}`, lines }
        }
      }
      return undefined
    },
  },
  {
    name: 'API server',
    look: async ({ api }) => {
      const { status, body } = await api.send('GET', '/readyz?verbose')
      if (status === 200) return undefined
      return {
        cause: `it is not ready (status ${status})`,
        lines: body.split('\n').filter(line => line.startsWith('[-]')),
      }
    },
  },
  {
    name: 'Pods',
    look: async ({ api }) => {
      const list = await api.get('/api/v1/pods')
      const waiting = ((list?.items ?? []) as readonly JsonObject[])
        .map(podTrouble)
        .filter(trouble => trouble !== undefined)
      return waiting.length === 0 ? undefined : { cause: `${waiting[0]}`, lines: waiting.slice(1, TAIL) }
    },
  },
]

/** The first broken link; undefined when all hold. */
export async function firstBroken(context: DiagnosisContext): Promise<Broken | undefined> {
  for (const { name, look } of LINKS) {
    const broken = await look(context).catch((error: unknown) => ({ cause: reasonOf(error), lines: [] }))
    if (broken !== undefined) return { link: name, ...broken }
  }
  return undefined
}

async function brokenContainer(
  cri: Cri,
  containers: readonly PodContainer[],
  name: string,
): Promise<Omit<Broken, 'link'> | undefined> {
  const [newest] = containers.filter(container => container.name === name)
  const ended = containers.find(container => container.name === name && container.state === 'exited')
  // One restart is common while etcd and the API server find each other; being down, or a third try, is not.
  if (newest === undefined || ended === undefined || (newest.state === 'running' && newest.attempt < 2))
    return undefined
  const { exitCode, reason, message, logPath } = await containerEnd(cri, ended.id)
  const lines = tellingLines(readText(logPath), TAIL)
  return {
    cause: `${name} ended with status ${exitCode} (${reason}${message && `: ${message}`}), ${newest.attempt + 1} tries`,
    lines,
  }
}

function podTrouble(pod: JsonObject): string | undefined {
  const { name, namespace } = (pod.metadata ?? {}) as JsonObject
  const { phase, containerStatuses, conditions } = (pod.status ?? {}) as JsonObject
  const waiting = ((containerStatuses ?? []) as readonly JsonObject[])
    .map(status => ((status.state as JsonObject | undefined)?.waiting ?? undefined) as JsonObject | undefined)
    .find(state => state !== undefined)
  if (waiting !== undefined)
    return `${namespace}/${name} waits: ${waiting.reason}${waiting.message === undefined ? '' : `: ${waiting.message}`}`
  if (phase !== 'Pending') return undefined
  const unscheduled = ((conditions ?? []) as readonly JsonObject[]).find(condition => condition.status === 'False')
  return `${namespace}/${name} is Pending: ${unscheduled?.message ?? 'no reason given'}`
}

/** undefined when healthy. */
function kubeletHealth(): Promise<string | undefined> {
  return new Promise(resolve => {
    const call = get({ host: '127.0.0.1', port: 10248, path: '/healthz', timeout: 1000 }, response => {
      response.resume()
      resolve(response.statusCode === 200 ? undefined : `its healthz says ${response.statusCode}`)
    })
    call.on('timeout', () => call.destroy(new Error('no answer')))
    call.on('error', error => resolve(`its healthz does not answer: ${error.message}`))
  })
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
