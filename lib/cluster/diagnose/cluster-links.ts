/** What the API server says of itself and of the node. */
import { setTimeout as sleep } from 'node:timers/promises'
import { reasonOf } from '../../base/errors.ts'
import { KUBELET } from '../../machine/service/kubelet-service.ts'
import { conditionOf } from '../api/condition.ts'
import { type Finding, TAIL } from './broken-link.ts'
import type { DiagnosisContext } from './diagnosis-context.ts'
import { tellingLines } from './log-lines.ts'
import { lastRun } from './static-pod-link.ts'

/** An API server that waits for etcd takes connections and does not answer: no reason to wait along. */
const ANSWER_LIMIT_MS = 3_000

export async function lookAtApi({ api }: DiagnosisContext): Promise<Finding | undefined> {
  if (api === undefined) return undefined
  const timer = new AbortController()
  const late = sleep(ANSWER_LIMIT_MS, undefined, { signal: timer.signal })
  const asking = api.send('GET', '/readyz?verbose').catch((error: unknown) => new Error(reasonOf(error)))
  const answer = await Promise.race([asking, late]).finally(() => timer.abort())
  if (answer === undefined)
    return { cause: `it does not answer within ${ANSWER_LIMIT_MS / 1000} s`, lines: [], starting: true }
  if (answer instanceof Error) return { cause: answer.message, lines: [], starting: true }
  const { status, body } = answer
  // Who may not look is answered all the same.
  if (status === 200 || status === 403) return undefined
  return {
    cause: `it is not ready (status ${status})`,
    lines: body.split('\n').filter(line => line.startsWith('[-]')),
    starting: true,
  }
}

export async function lookAtNode({ api, nodeName, services }: DiagnosisContext): Promise<Finding | undefined> {
  if (api === undefined || nodeName === undefined) return undefined
  const node = await api.get(`/api/v1/nodes/${nodeName}`)
  const ready = conditionOf(node, 'Ready')
  if (ready?.status === 'True') return undefined
  const cause =
    node === undefined
      ? `node "${nodeName}" has not registered`
      : `node "${nodeName}" is not Ready: ${ready?.message ?? 'the kubelet has not said anything yet'}`
  return { cause, lines: tellingLines(lastRun(await services.log(KUBELET, 400)), TAIL), starting: true }
}
