/**
 * The chain from a machine to a ready cluster, link by link. When something does not come up, the first broken link
 * is the cause and the later ones are its symptoms.
 */

import { reasonOf } from '../../base/errors.ts'
import { type Cri, openCri } from '../../supply/cri/cri-client.ts'
import { presentImages } from '../../supply/runtime/import-archives.ts'
import { PRIVATE_RUNTIME } from '../../supply/runtime/private-runtime.ts'
import { type Broken, type Finding, TAIL } from './broken-link.ts'
import { lookAtApi, lookAtNode } from './cluster-links.ts'
import type { DiagnosisContext } from './diagnosis-context.ts'
import { lookAtDisks } from './disks.ts'
import { lookAtKubelet } from './kubelet-link.ts'
import { tellingLines } from './log-lines.ts'
import { lookAtPods } from './pods-link.ts'
import { lookAtStaticPod } from './static-pod-link.ts'

export type { Broken } from './broken-link.ts'

/** A context with the runtime opened, or the reason why it is not. */
export interface Sight extends DiagnosisContext {
  readonly open: Cri | Error
}

interface Link {
  readonly name: string
  /** Whether it can be broken for good while a cluster comes up: what watchForFailure looks at, again and again. */
  readonly watched: boolean
  readonly look: (sight: Sight) => Promise<Finding | undefined>
}

/** How long a runtime may be away: one that was killed is back within a second or two. */
const RUNTIME_AWAY_MS = 15_000

export const LINKS: readonly Link[] = [
  { name: 'disk', watched: false, look: lookAtDisks },
  {
    name: 'container runtime',
    watched: true,
    look: async ({ open, services }) => {
      if (!(open instanceof Error)) return undefined
      const lines = tellingLines(await services.log(PRIVATE_RUNTIME, 200), TAIL)
      const restarts = await services.restarts(PRIVATE_RUNTIME)
      const often = restarts > 0 ? `it ended and was started again, ${restarts} times so far; ` : ''
      return { cause: `${often}${open.message.replace(/^runtime: /, '')}`, lines, finalAfterMs: RUNTIME_AWAY_MS }
    },
  },
  {
    name: 'images',
    watched: false,
    look: async ({ open, pauseImage }) => {
      if (open instanceof Error || pauseImage === undefined) return undefined
      return (await presentImages(open)).has(pauseImage)
        ? undefined
        : { cause: `the image of Pod sandboxes is not on this machine: "${pauseImage}"`, lines: [] }
    },
  },
  { name: 'kubelet', watched: true, look: lookAtKubelet },
  staticPod('etcd'),
  staticPod('kube-apiserver'),
  { name: 'API server', watched: true, look: lookAtApi },
  staticPod('kube-controller-manager'),
  staticPod('kube-scheduler'),
  { name: 'node', watched: false, look: lookAtNode },
  { name: 'Pods', watched: true, look: lookAtPods },
]

function staticPod(name: string): Link {
  return {
    name,
    watched: true,
    look: async sight => {
      const pod = sight.staticPods.find(other => other.name === name)
      return pod === undefined || sight.open instanceof Error ? undefined : lookAtStaticPod(pod, sight.open, sight)
    },
  }
}

/**
 * The first broken link; undefined when all hold. With `young` what may still be starting counts as holding.
 * Never throws: what cannot be looked at is broken.
 */
export async function firstBroken(
  context: DiagnosisContext,
  links: readonly Link[] = LINKS,
  young = false,
): Promise<Broken | undefined> {
  const open = await openRuntime(context)
  try {
    for (const { name, look } of links) {
      const finding: Finding | undefined = await look({ ...context, open }).catch((error: unknown) => ({
        cause: reasonOf(error),
        lines: [],
        // Who cannot be asked yet may have nothing the matter with it.
        starting: true,
      }))
      if (finding !== undefined && !(young && finding.starting)) return { link: name, ...finding }
    }
    return undefined
  } finally {
    if (!(open instanceof Error)) open.close()
  }
}

function openRuntime({ cri }: DiagnosisContext): Promise<Cri | Error> {
  if (cri === undefined) return Promise.resolve(new Error('none is known on this machine'))
  return openCri(cri.socket).catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))))
}
