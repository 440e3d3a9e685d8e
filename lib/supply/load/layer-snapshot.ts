/** A layer that containerd has as content becomes a snapshot of it, over those below. */
import { randomUUID } from 'node:crypto'
import { KubestepError } from '../../base/errors.ts'
import type { JsonObject } from '../../base/json.ts'
import { type Containerd, type Descriptor, SNAPSHOTTER } from '../runtime/containerd-api.ts'
import { type StoredLayer, unpackLayer } from './unpack-layer.ts'

/** A layer over others. */
export interface Over {
  /** Of containerd. */
  readonly root: string
  readonly parent: string
  /** Of both together. */
  readonly name: string
}

/** Unpacks a layer over its parent, unless that has been done. Throws a KubestepError when it is not what it should be. */
export async function unpackOver(
  containerd: Containerd,
  layer: Descriptor & StoredLayer,
  { root, parent, name }: Over,
): Promise<void> {
  const snapshotter = SNAPSHOTTER
  const { call, tries } = containerd
  if (await tries('Snapshots/Stat', { snapshotter, key: name })) return
  const prepare = async (): Promise<Prepared> => {
    const key = `kubestep-${randomUUID()}`
    const { mounts = [] } = await call('Snapshots/Prepare', { snapshotter, key, parent })
    return { key, mounts: mounts as readonly JsonObject[] }
  }
  let prepared = await prepare()
  try {
    await unpackLayer(layer, folderOf(prepared, root))
  } catch {
    // Over again, since it may have been half done.
    await call('Snapshots/Remove', { snapshotter, key: prepared.key })
    prepared = await prepare()
    await apply(containerd, layer, prepared)
  }
  // Another archive may have unpacked the same meanwhile; then this one goes with the lease.
  await tries('Snapshots/Commit', { snapshotter, name, key: prepared.key })
}

/** A snapshot that can be written. */
interface Prepared {
  readonly key: string
  readonly mounts: readonly JsonObject[]
}

/** Where its own files lie. Throws a KubestepError where that cannot be told. */
function folderOf({ mounts: [mount, ...others] }: Prepared, root: string): string {
  const { type, source, options } = mount ?? {}
  const upper = (options as readonly string[]).flatMap(option => /^upperdir=(.+)$/.exec(option)?.[1] ?? [])[0]
  const folder = type === 'overlay' ? upper : type === 'bind' ? source : undefined
  if (others.length === 0 && typeof folder === 'string' && folder.startsWith(`${root}/`)) return folder
  throw new KubestepError(`images: cannot unpack into a mount of type "${type}"`)
}

/** The way of containerd itself. */
async function apply({ call }: Containerd, layer: Descriptor & StoredLayer, { mounts }: Prepared): Promise<void> {
  const { mediaType, digest, size, diffId } = layer
  const { applied } = await call('Diff/Apply', { diff: { mediaType, digest, size }, mounts })
  const unpacked = (applied as JsonObject | undefined)?.digest
  if (unpacked === diffId) return
  throw new KubestepError(`images: cannot unpack ${digest}: it is ${unpacked} and should be ${diffId}`)
}
