/** Whether the kubelet runs, and what it last said when it does not. */
import { get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { KUBELET } from '../../machine/service/kubelet-service.ts'
import { type Finding, TAIL } from './broken-link.ts'
import type { DiagnosisContext } from './diagnosis-context.ts'
import { lastWords, tellingLines } from './log-lines.ts'

const DEFAULT_PORT = 10248

/** From then on an end is no accident. */
const MANY_RESTARTS = 3

/** One that is started again and again may be healthy for a moment. */
const SECOND_LOOK_MS = 1500

/** undefined when it is healthy. */
export async function lookAtKubelet({
  services,
  kubeletHealthPort,
  kubeletRestartsBefore = 0,
}: DiagnosisContext): Promise<Finding | undefined> {
  const port = kubeletHealthPort ?? DEFAULT_PORT
  const restarts = await services.restarts(KUBELET)
  let fault = await healthFault(port)
  if (fault === undefined && restarts >= MANY_RESTARTS) {
    await sleep(SECOND_LOOK_MS)
    fault = await healthFault(port)
  }
  if (fault === undefined) return undefined
  const log = await services.log(KUBELET, 400)
  if (restarts > 0) {
    const cause = `it ended and was started again, ${restarts === 1 ? 'once' : `${restarts} times`} so far`
    return { cause, lines: lastWords(log, TAIL), final: restarts - kubeletRestartsBefore >= MANY_RESTARTS }
  }
  const lines = tellingLines(log, TAIL)
  if (!(await services.isRunning(KUBELET))) return { cause: 'it does not run', lines }
  return { cause: `it is not healthy: ${fault}`, lines, starting: true }
}

function healthFault(port: number): Promise<string | undefined> {
  if (port === 0) return Promise.resolve(undefined)
  return new Promise(resolve => {
    const call = get({ host: '127.0.0.1', port, path: '/healthz', timeout: 2000, agent: false }, response => {
      response.resume()
      resolve(response.statusCode === 200 ? undefined : `its healthz says ${response.statusCode}`)
    })
    call.on('timeout', () => call.destroy(new Error('no answer')))
    call.on('error', error => resolve(`its healthz at port ${port} does not answer: ${error.message}`))
  })
}
