/** Images into the container runtime: what is there is left alone, the rest comes all at once, the first ones first. */
import { setTimeout as sleep } from 'node:timers/promises'
import { KubestepError, reasonOf } from '../../base/errors.ts'
import type { JsonObject } from '../../base/json.ts'
import { which } from '../../machine/command.ts'
import { type Fetching, prepareImages } from '../components/fetch-components.ts'
import type { Cri } from '../cri/cri-client.ts'
import { type Lock, openLock } from '../fetch/digest-lock.ts'
import { FetchError, failureError } from '../fetch/fetch-failure.ts'
import { type Mirrors, readMirrors } from '../fetch/mirrors.ts'
import { openQueue } from '../fetch/queue.ts'
import { readReference } from '../fetch/reference.ts'
import { openRegistries } from '../registry/registry-facts.ts'
import { importArchives } from '../runtime/import-archives.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { pullByRuntime } from './pull-by-runtime.ts'
import { warnWhenUnreachable } from './registry-reach.ts'

export interface PulledImage {
  readonly image: string
  readonly state: 'present' | 'pulled'
  /** `sha256:...` of what the name stands for; undefined when the runtime does not know, as after an import. */
  readonly digest?: string
  /** `sha256:...` of its configuration, which every runtime knows it by. */
  readonly id?: string
}

export interface Pull extends Fetching {
  readonly arch: string
  readonly onPulled?: (pulled: PulledImage) => void
}

/** So many pulls at once: the runtime itself takes several layers of each at the same time. */
const PULLS_AT_ONCE = 3

/** Makes sure that the runtime has all of the images. Throws a KubestepError that tells of all faults at once. */
export async function pullImages(images: readonly string[], runtime: Runtime, pull: Pull): Promise<void> {
  const { onPulled = () => {} } = pull
  const mirrors = readMirrors(pull.mirror)
  const lock = await openLock(pull.lock)
  const missing: string[] = []
  for (const image of images) {
    const found = await imageIn(runtime.cri, image)
    if (found === undefined) missing.push(image)
    else onPulled({ image, state: 'present', ...found })
  }
  if (missing.length === 0) return
  const ours = missing.filter(image => wayOf(runtime, image, mirrors) === 'import')
  const theirs = missing.filter(image => !ours.includes(image))
  const outcomes = await Promise.allSettled([
    importFetched(ours, runtime, pull, onPulled),
    letPull(theirs, runtime, { ...pull, onPulled }, mirrors, lock),
  ])
  const reasons = outcomes.flatMap(outcome => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []))
  const fault = reasons.find(reason => !(reason instanceof KubestepError))
  if (fault !== undefined) throw fault
  if (reasons.length > 0) throw new KubestepError(reasons.map(reasonOf).join('\n'))
}

/**
 * Who fetches a missing image: the runtime, which has its owner's settings; or we, for a mirror that it knows nothing
 * of, and for a runtime of our own, where the archive stays in the cache for the next cluster.
 */
export function wayOf({ ours }: Pick<Runtime, 'ours'>, image: string, mirrors: Mirrors): 'runtime' | 'import' {
  return ours || mirrors.hosts.has(readReference(image).host) ? 'import' : 'runtime'
}

async function importFetched(
  images: readonly string[],
  runtime: Runtime,
  pull: Pull,
  onPulled: (pulled: PulledImage) => void,
): Promise<void> {
  if (images.length === 0) return
  const ctr = which('ctr')
  if (ctr === undefined || runtime.name !== 'containerd') {
    const why = ctr === undefined ? 'ctr is not on this machine' : `${runtime.name} takes no archives`
    throw new KubestepError(
      `images: cannot put ${images.join(', ')} into "${runtime.cri.socket}": ${why}; set up the mirror in the runtime's own configuration, or use containerd`,
    )
  }
  // One after the other: an import is work for the disk.
  const queue = openQueue(1)
  await prepareImages(images, pull.arch, pull, ({ name, path, digest }) =>
    queue(async () => {
      await importArchives(ctr, runtime.cri.socket, [path])
      await waitForImage(runtime.cri, name)
      onPulled({ image: name, state: 'pulled', ...(digest !== undefined && { digest }) })
    }),
  )
}

async function letPull(
  images: readonly string[],
  { cri, name: runtime, version }: Runtime,
  pull: Pull & { readonly onPulled: (pulled: PulledImage) => void },
  mirrors: Mirrors,
  lock: Lock,
): Promise<void> {
  if (images.length === 0) return
  const { deadline, offline = false, limits = {}, onProgress = () => {}, onPulled } = pull
  const registries = await openRegistries(images, mirrors, process.env)
  const queue = openQueue(PULLS_AT_ONCE)
  // It says nothing until an image is there.
  if (!offline) onProgress({ kind: 'notice', text: `${runtime} ${version} pulls ${images.join(', ')}` })
  const ending = new AbortController()
  deadline.addEventListener('abort', () => ending.abort('the time is up'), { once: true })
  const calm = offline ? undefined : warnWhenUnreachable(images, registries, pull)
  const options = {
    cri,
    registries,
    end: ending.signal,
    limits,
    offline,
    onRetry: (name: string, reason: string, pauseMs: number) => onProgress({ kind: 'retry', name, reason, pauseMs }),
  }
  const outcomes = await Promise.allSettled(
    images.map(image =>
      queue(async () => {
        await pullByRuntime(image, options)
        calm?.()
        const found = await imageIn(cri, image)
        await checkLock(cri, image, found?.digest, lock)
        onPulled({ image, state: 'pulled', ...found })
      }),
    ),
  )
  calm?.()
  const reasons = outcomes.flatMap(outcome => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []))
  const others = reasons.filter(reason => !(reason instanceof FetchError))
  if (others.length > 0) throw others[0]
  const failures = reasons.filter(reason => reason instanceof FetchError).map(({ failure }) => failure)
  if (failures.length > 0) throw failureError(failures)
}

async function checkLock(cri: Cri, image: string, digest: string | undefined, lock: Lock): Promise<void> {
  const locked = lock.get(readReference(image).name)
  if (locked === undefined || digest === `sha256:${locked}`) return
  await cri.call('RemoveImage', { image: { image } })
  throw new KubestepError(
    `images: cannot accept "${image}": its digest is ${digest ?? 'unknown'} and has to be sha256:${locked}; use another source, and tell its owner`,
  )
}

/** What a runtime says of an image; undefined when it is not there. */
async function imageIn(cri: Cri, image: string): Promise<Pick<PulledImage, 'digest' | 'id'> | undefined> {
  const { image: found } = await cri.call('ImageStatus', { image: { image } })
  if (found === undefined) return undefined
  const { id, repoDigests } = found as JsonObject
  const { host, repository } = readReference(image)
  const digests = (repoDigests ?? []) as readonly string[]
  const digest = digests.find(name => name.startsWith(`${host}/${repository}@`))?.split('@')[1]
  return { ...(digest !== undefined && { digest }), id: String(id) }
}

/** The runtime learns of an import by an event. */
const NOTICE_LIMIT_MS = 5000

async function waitForImage(cri: Cri, image: string): Promise<void> {
  const end = performance.now() + NOTICE_LIMIT_MS
  while ((await imageIn(cri, image)) === undefined) {
    if (performance.now() > end) {
      throw new KubestepError(
        `images: cannot find "${image}": the runtime was given it and does not have it; see its log`,
      )
    }
    await sleep(30)
  }
}
