/** Files of an image, as they lie where containerd has unpacked it: nothing is mounted, and nothing is run. */
import { randomUUID } from 'node:crypto'
import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { isObject, type JsonObject, objectOf, objectsOf } from '../../base/json.ts'
import type { Cri } from '../cri/cri-client.ts'
import { SNAPSHOTTER, withContainerd } from './containerd-api.ts'

/**
 * Where the image has each of these paths on this machine; those that it has as files, in their order. They are there as
 * long as the image is. Throws a CriError, also of a runtime that is no containerd; none of an image that is not there.
 */
export async function filesOfImage(cri: Cri, image: string, paths: readonly string[]): Promise<string[]> {
  const { info } = await cri.call('ImageStatus', { image: { image }, verbose: true })
  const parent = chainOf(objectOf(info).info)
  if (parent === undefined) return []
  const key = `kubestep-${randomUUID()}`
  const { mounts } = await withContainerd(cri.socket, ({ call }) =>
    call('Snapshots/View', { snapshotter: SNAPSHOTTER, key, parent }),
  )
  const layers = layersOf(objectsOf(mounts)[0])
  return paths.flatMap(path => layers.map(layer => join(layer, path)).find(isThere) ?? []).filter(isFile)
}

/** The name of all layers together. Source: containerd internal/cri/server/images/image_status.go, verboseImageInfo (1.6 to 2.x). */
function chainOf(info: unknown): string | undefined {
  try {
    const { chainID } = objectOf(JSON.parse(String(info)))
    return typeof chainID === 'string' && chainID !== '' ? chainID : undefined
  } catch {
    return undefined
  }
}

/** The folders that a mount would show as one, the uppermost first. Source: containerd snapshots/overlay (1.6 to 2.x). */
export function layersOf(mount: JsonObject | undefined): readonly string[] {
  if (!isObject(mount)) return []
  if (mount.type === 'bind') return [String(mount.source)]
  const options = Array.isArray(mount.options) ? mount.options.map(String) : []
  return (
    options
      .find(option => option.startsWith('lowerdir='))
      ?.slice('lowerdir='.length)
      .split(':') ?? []
  )
}

// What a layer takes away is there too, as a device.
function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true
}
