/** Whether a static Pod runs, and what it last said when it does not. */
import { readFileSync } from 'node:fs'
import { KUBELET } from '../../machine/service/kubelet-service.ts'
import type { Cri } from '../../supply/cri/cri-client.ts'
import { containerEnd, podContainers } from '../../supply/cri/pod-containers.ts'
import { presentImages } from '../../supply/runtime/import-archives.ts'
import { type Finding, TAIL } from './broken-link.ts'
import type { DiagnosisContext, StaticPodImage } from './diagnosis-context.ts'
import { lastWords, tellingLines } from './log-lines.ts'
import { endingOf, refusalText } from './pod-troubles.ts'

/**
 * Who ends this soon, twice, has a fault of its own. One that waits for another component ends later: the API server
 * gives etcd 20 s, the controller manager gives the API server 10 s.
 */
const SHORT_LIFE_MS = 8_000

/** Who ends this often does not come up, however long it lived. */
const MANY_TRIES = 4

/** What the kubelet says of an image that it could not get. */
const PULL_FAILED = /pull/i

/** undefined when it runs. */
export async function lookAtStaticPod(
  { name, image }: StaticPodImage,
  cri: Cri,
  { services }: DiagnosisContext,
): Promise<Finding | undefined> {
  const containers = (await podContainers(cri)).filter(
    container => container.name === name && container.namespace === 'kube-system',
  )
  const [newest] = containers
  if (newest === undefined) {
    const log = lastRun(await services.log(KUBELET, 400))
    if (!(await presentImages(cri)).has(image)) {
      const lines = log.split('\n').filter(line => line.includes(image))
      const telling = tellingLines(lines.join('\n'), TAIL)
      const pulls = telling.filter(line => PULL_FAILED.test(line))
      return {
        cause: `its image is not on this machine: "${image}"`,
        lines: telling,
        ...(pulls.length > 0 && endingOf('image', pulls.join('\n'))),
      }
    }
    const refusal = sandboxRefusal(log, name)
    if (refusal !== undefined)
      return { cause: `the runtime cannot make a Pod for it: ${refusal}`, lines: [], ...endingOf('sandbox', refusal) }
    const lines = log.split('\n').filter(line => line.includes(name))
    return {
      cause: 'the kubelet has not started it',
      lines: tellingLines(lines.length > 0 ? lines.join('\n') : log, TAIL),
      starting: true,
    }
  }
  const ended = containers.find(({ state }) => state === 'exited')
  // One restart is common while etcd and the API server find each other; being down, or a third try, is not.
  if (newest.state === 'running' && (newest.attempt < 2 || ended === undefined)) return undefined
  if (ended === undefined) return { cause: 'its container is made and does not start', lines: [], starting: true }
  const { exitCode, reason, message, livedMs, endedAt, logPath } = await containerEnd(cri, ended.id)
  const tries = newest.attempt + (newest.state === 'exited' ? 1 : 0)
  const why = [reason === 'Error' ? '' : reason, message].filter(text => text !== '').join(': ')
  return {
    cause: `it ended with status ${exitCode} after ${(livedMs / 1000).toFixed(1)} s${why && ` (${why})`}, ${tries === 1 ? 'once' : `${tries} times`} so far`,
    lines: lastWords(readLog(logPath), TAIL),
    endedAt,
    final: tries >= MANY_TRIES || (tries >= 2 && livedMs < SHORT_LIFE_MS),
  }
}

/** What a kubelet says first, with its version. Source: kubelet cmd/kubelet/app/server.go (v1.36, v1.20). */
const FIRST_WORDS = /^.*(?:"Kubelet version"|server\.go:\d+\] Version:).*$/gm

/** The log of the kubelet that runs: what an earlier one met is over. */
export function lastRun(log: string): string {
  const start = [...log.matchAll(FIRST_WORDS)].at(-1)
  return start === undefined ? log : log.slice(start.index)
}

/** Why the runtime last refused a static Pod, in its own words, from the kubelet's log. */
export function sandboxRefusal(log: string, name: string): string | undefined {
  const lines = log.split('\n').filter(line => line.includes(`pod="kube-system/${name}-`))
  const refusals = lines.flatMap(line => [
    ...line.matchAll(/CreatePodSandbox for pod failed" err="(?:rpc error: code = \w+ desc = )?((?:[^"\\]|\\.)*)"/g),
  ])
  const reason = refusals.at(-1)?.[1]
  return reason === undefined ? undefined : refusalText(reason.replace(/\\(.)/g, '$1'))
}

function readLog(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
