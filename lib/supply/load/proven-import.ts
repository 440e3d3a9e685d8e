/** Archives into a runtime, and the proof that it has what was in them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { KubestepError } from '../../base/errors.ts'
import type { JsonObject } from '../../base/json.ts'
import { $, which } from '../../machine/command.ts'
import type { Cri } from '../cri/cri-client.ts'
import { ctrImages } from '../runtime/image-names.ts'
import { importArchives } from '../runtime/import-archives.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { ArchivedImage } from './archive-images.ts'

export interface LoadedImage {
  readonly name: string
  /** `sha256:...` of its configuration, as the runtime gives it. */
  readonly id: string
}

/** The names that a runtime has, each with the image's id. */
type Names = ReadonlyMap<string, string>

/** The runtime learns of an import by an event. */
const NOTICE_LIMIT_MS = 5_000
const NOTICE_MS = 20

/**
 * Imports an archive whose images are known; when that fails, the names that came with it are taken away again.
 * Throws a KubestepError.
 */
export async function importImages(
  runtime: Runtime,
  path: string,
  images: readonly ArchivedImage[],
): Promise<LoadedImage[]> {
  const { cri } = runtime
  const ctr = which('ctr')
  if (runtime.name !== 'containerd' || ctr === undefined) {
    const reason =
      ctr === undefined
        ? 'ctr is not on this machine; install containerd'
        : `${runtime.name} has no import; use --runtime with containerd`
    throw new KubestepError(`load: cannot load into "${cri.socket}": ${reason}`)
  }
  const before = await presentNames(cri)
  try {
    await importArchives(ctr, cri.socket, [path])
    await giveWholeNames(cri, images)
    return await proven(cri, images)
  } catch (error) {
    await removeNew(cri, before)
    throw error
  }
}

/** All names in a runtime. Throws a CriError. */
async function presentNames(cri: Cri): Promise<Names> {
  const { images } = await cri.call('ListImages')
  return new Map(
    ((images ?? []) as readonly JsonObject[]).flatMap(image =>
      [...(image.repoTags as readonly string[]), ...(image.repoDigests as readonly string[])].map(
        (name): [string, string] => [name, String(image.id)],
      ),
    ),
  )
}

// containerd takes the names of OCI archives as they stand; the kubelet asks for whole ones.
async function giveWholeNames(cri: Cri, images: readonly ArchivedImage[]): Promise<void> {
  for (const { given, whole } of images.flatMap(({ names }) => names)) {
    if (given === whole) continue
    await $({ what: `load: cannot name "${whole}"` })`${ctrImages(cri.socket)} tag --force ${given} ${whole}`
    await $({ nothrow: true })`${ctrImages(cri.socket)} rm ${given}`
  }
}

/** Waits until the runtime knows images by their names and ids. Throws a KubestepError when it does not. */
export async function proven(cri: Cri, images: readonly ArchivedImage[]): Promise<LoadedImage[]> {
  const wanted = images.flatMap(({ names, id }) => names.map(({ whole }) => ({ name: whole, id })))
  const end = performance.now() + NOTICE_LIMIT_MS
  for (;;) {
    const seen = await Promise.all(wanted.map(({ name }) => idOf(cri, name)))
    const wrong = wanted.filter(({ id }, index) => seen[index] !== id)
    if (wrong.length === 0) return wanted
    if (performance.now() > end) {
      throw new KubestepError(
        `load: cannot prove ${wrong.map(({ name }) => `"${name}"`).join(', ')}: the runtime was given it and does not have it; see its log`,
      )
    }
    await sleep(NOTICE_MS)
  }
}

async function idOf(cri: Cri, name: string): Promise<string | undefined> {
  const { image } = await cri.call('ImageStatus', { image: { image: name } })
  return image === undefined ? undefined : String((image as JsonObject).id)
}

// By containerd, name by name: CRI's RemoveImage takes all names of an image, also those that were there before.
async function removeNew(cri: Cri, before: Names): Promise<void> {
  const ids = new Set(before.values())
  for (const [name, id] of await presentNames(cri)) {
    const former = before.get(name)
    if (former === id) continue
    if (former !== undefined) await $({ nothrow: true })`${ctrImages(cri.socket)} tag --force ${former} ${name}`
    else await $({ nothrow: true })`${ctrImages(cri.socket)} rm ${name} ${ids.has(id) ? [] : [id]}`
  }
}
