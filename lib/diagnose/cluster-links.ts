/** What the API server says of itself, of the node and of Pods. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Api } from '../api/client.ts'
import type { JsonObject } from '../json.ts'
import { KUBELET } from '../service/kubelet.ts'
import { type Finding, TAIL } from './broken.ts'
import type { DiagnosisContext } from './context.ts'
import { tellingLines } from './log-lines.ts'

/** An API server that waits for etcd takes connections and does not answer: no reason to wait along. */
const ANSWER_LIMIT_MS = 3_000

export async function lookAtApi({ api }: DiagnosisContext): Promise<Finding | undefined> {
  if (api === undefined) return undefined
  const timer = new AbortController()
  const late = sleep(ANSWER_LIMIT_MS, undefined, { signal: timer.signal })
  const answer = await Promise.race([api.send('GET', '/readyz?verbose'), late]).finally(() => timer.abort())
  if (answer === undefined) return { cause: `it does not answer within ${ANSWER_LIMIT_MS / 1000} s`, lines: [] }
  const { status, body } = answer
  // Who may not look is answered all the same.
  if (status === 200 || status === 403) return undefined
  return {
    cause: `it is not ready (status ${status})`,
    lines: body.split('\n').filter(line => line.startsWith('[-]')),
  }
}

export async function lookAtNode({ api, nodeName, services }: DiagnosisContext): Promise<Finding | undefined> {
  if (api === undefined || nodeName === undefined) return undefined
  const node = await api.get(`/api/v1/nodes/${nodeName}`)
  const conditions = listOf((node?.status as JsonObject | undefined)?.conditions)
  const ready = conditions.find(({ type }) => type === 'Ready')
  if (ready?.status === 'True') return undefined
  const cause =
    node === undefined
      ? `node "${nodeName}" has not registered`
      : `node "${nodeName}" is not Ready: ${ready?.message ?? 'the kubelet has not said anything yet'}`
  return { cause, lines: tellingLines(await services.log(KUBELET, 400), TAIL) }
}

export async function lookAtPods({ api }: DiagnosisContext): Promise<Finding | undefined> {
  if (api === undefined) return undefined
  const pods = listOf((await api.get('/api/v1/pods'))?.items)
  const troubled = pods.filter(pod => podTrouble(pod) !== undefined)
  const [first, ...others] = troubled
  if (first === undefined) return undefined
  return {
    cause: podTrouble(first) ?? '',
    lines: [...(await warningsOf(api, first)), ...others.map(pod => podTrouble(pod) ?? '')].slice(0, TAIL),
  }
}

/** Why a Pod does not run; undefined when it does, or has done its work. */
export function podTrouble(pod: JsonObject): string | undefined {
  const { name, namespace } = (pod.metadata ?? {}) as JsonObject
  const { phase, containerStatuses, conditions } = (pod.status ?? {}) as JsonObject
  const statuses = listOf(containerStatuses)
  const waiting = statuses.map(({ state }) => (state as JsonObject | undefined)?.waiting as JsonObject | undefined)
  const reason = waiting.find(state => state !== undefined)
  const told = (text: string): string => `${namespace}/${name} ${text}`
  if (reason !== undefined) return told(`waits: ${reason.reason}${reason.message ? `: ${reason.message}` : ''}`)
  if (phase === 'Failed') return told(`failed: ${(pod.status as JsonObject).message ?? 'no reason given'}`)
  const restarts = Math.max(0, ...statuses.map(({ restartCount }) => Number(restartCount ?? 0)))
  const notReady = listOf(conditions).find(({ type, status }) => type === 'Ready' && status === 'False')
  if (phase === 'Running' && notReady !== undefined)
    return told(`runs and is not ready${restarts > 0 ? `, after ${restarts} restarts` : ''}: ${notReady.message ?? ''}`)
  if (phase !== 'Pending') return undefined
  const unmet = listOf(conditions).find(({ status, message }) => status === 'False' && message)
  return told(`is Pending: ${unmet?.message ?? 'no reason given'}`)
}

async function warningsOf(api: Api, pod: JsonObject): Promise<string[]> {
  const { name, namespace } = (pod.metadata ?? {}) as JsonObject
  const selector = encodeURIComponent(`involvedObject.name=${name},type=Warning`)
  const events = listOf((await api.get(`/api/v1/namespaces/${namespace}/events?fieldSelector=${selector}`))?.items)
  return [...new Set(events.map(({ reason, message }) => `${reason}: ${message}`))].slice(-3)
}

function listOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? (value as readonly JsonObject[]) : []
}
