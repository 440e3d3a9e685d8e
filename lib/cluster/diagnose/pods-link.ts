/** What the API server says of Pods that do not run. */

import type { JsonObject } from '../../base/json.ts'
import type { Api } from '../api/api-client.ts'
import { type Finding, TAIL } from './broken-link.ts'
import type { DiagnosisContext } from './diagnosis-context.ts'
import { endingOf, refusalText, type Trouble } from './pod-troubles.ts'

/** The Pods that gates wait for, without static ones, which have links of their own. */
const OURS = /^(?:kube-system\/(?:coredns|kube-proxy)-|default\/kubestep-probe$)/

/** Who ends this often does not come up. */
const MANY_RESTARTS = 4

/** What a container waits for, by what the kubelet calls it. Source: kubelet images/types.go, kuberuntime (v1.36). */
const REASONS: Readonly<Record<string, Trouble>> = {
  ErrImagePull: 'image',
  ImagePullBackOff: 'image',
  ErrImageNeverPull: 'image',
  InvalidImageName: 'image',
  ImageInspectError: 'image',
  CreateContainerConfigError: 'container',
  CreateContainerError: 'container',
  RunContainerError: 'container',
  CrashLoopBackOff: 'crash',
}

/** The Pod that is worst off; undefined when all run, or have done their work. */
export async function lookAtPods({ api }: DiagnosisContext): Promise<Finding | undefined> {
  if (api === undefined) return undefined
  const pods = listOf((await api.get('/api/v1/pods'))?.items)
  const troubled = pods.filter(pod => podTrouble(pod) !== undefined)
  if (troubled.length === 0) return undefined
  const refusals = await sandboxRefusals(api)
  const findings = troubled.map(pod => ({ pod, ...findingOf(pod, refusals) }))
  const worst = findings.find(({ starting }) => !starting) ?? findings[0]
  if (worst === undefined) return undefined
  const { pod, ...finding } = worst
  // Beside a cause, what is on its way is no news.
  const others = findings.filter(other => other !== worst && (worst.starting || !other.starting))
  const warnings = (await warningsOf(api, pod)).filter(line => !line.includes(finding.cause.split(': ').at(-1) ?? ''))
  return { ...finding, lines: [...warnings, ...others.map(({ cause }) => cause)].slice(0, TAIL) }
}

/** What one Pod suffers from; `refusals` as sandboxRefusals() gives them. */
export function findingOf(pod: JsonObject, refusals: ReadonlyMap<string, string>): Omit<Finding, 'lines'> {
  const { uid } = (pod.metadata ?? {}) as JsonObject
  const name = nameOf(pod)
  const cause = podTrouble(pod) ?? ''
  const found = troubleOf(pod, refusals.get(String(uid)))
  if (found === undefined) return { cause, starting: true }
  const { trouble, text } = found
  const told = trouble === 'sandbox' ? `the runtime cannot make Pod ${name}: ${text}` : cause
  // What a user has put in is nothing that a cluster waits for.
  return { cause: told, ...(OURS.test(name) ? endingOf(trouble, text) : { kind: trouble }) }
}

/** What does not pass by itself, and the words for it; undefined when a Pod is on its way. */
function troubleOf(
  pod: JsonObject,
  refusal: string | undefined,
): { readonly trouble: Trouble; readonly text: string } | undefined {
  const { containerStatuses } = (pod.status ?? {}) as JsonObject
  const statuses = listOf(containerStatuses)
  const waiting = statuses
    .map(({ state }) => (state as JsonObject | undefined)?.waiting as JsonObject | undefined)
    .find(state => state !== undefined)
  const reason = String(waiting?.reason ?? '')
  const trouble = REASONS[reason]
  if (trouble === 'crash') {
    const restarts = Math.max(0, ...statuses.map(({ restartCount }) => Number(restartCount ?? 0)))
    return restarts >= MANY_RESTARTS ? { trouble, text: reason } : undefined
  }
  if (trouble !== undefined) return { trouble, text: `${reason}: ${waiting?.message ?? ''}` }
  const isCreating = reason === 'ContainerCreating' || reason === 'PodInitializing' || statuses.length === 0
  return isCreating && refusal !== undefined ? { trouble: 'sandbox', text: refusal } : undefined
}

/** Why the runtime last refused a Pod, by the Pod's uid. */
async function sandboxRefusals(api: Api): Promise<Map<string, string>> {
  const selector = encodeURIComponent('reason=FailedCreatePodSandBox')
  const events = listOf((await api.get(`/api/v1/events?fieldSelector=${selector}`))?.items)
  return new Map(
    events.map(({ involvedObject, message }) => [
      String((involvedObject as JsonObject | undefined)?.uid),
      refusalText(String(message)),
    ]),
  )
}

/** Why a Pod does not run; undefined when it does, or has done its work. */
export function podTrouble(pod: JsonObject): string | undefined {
  const { phase, containerStatuses, conditions } = (pod.status ?? {}) as JsonObject
  const statuses = listOf(containerStatuses)
  const waiting = statuses.map(({ state }) => (state as JsonObject | undefined)?.waiting as JsonObject | undefined)
  const reason = waiting.find(state => state !== undefined)
  const told = (text: string): string => `${nameOf(pod)} ${text}`
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

function nameOf(pod: JsonObject): string {
  const { name, namespace } = (pod.metadata ?? {}) as JsonObject
  return `${namespace}/${name}`
}

function listOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? (value as readonly JsonObject[]) : []
}
