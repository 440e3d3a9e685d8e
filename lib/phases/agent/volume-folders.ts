/** Folders of volumes, on the nodes of this machine. */
import { chmodSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { LAYOUT } from '../../base/paths.ts'
import { folderSteps, type Volume } from '../../cluster/storage/claims.ts'
import { isVolumePath } from '../../cluster/storage/volume-object.ts'
import { nodePlaces } from '../../machine/local-node/node-place.ts'

/** Whoever a Pod runs as has to be able to write. */
const MODE = 0o777

/** As the kubelet makes one. Source: kubernetes volume/hostpath/host_path.go (v1.36). */
const KUBELETS_MODE = 0o755

type Folder = Pick<Volume, 'node' | 'path'>

export interface VolumeFolders {
  /** Makes those of volumes that have come, removes those of volumes that have gone; gives the latter. */
  readonly settle: (volumes: readonly Volume[]) => Promise<readonly Volume[]>
  /** Nothing happens for a node of another machine. */
  readonly make: (folder: Folder) => void
  readonly remove: (folder: Folder) => Promise<void>
}

/** `own` is the name of this machine's node. */
export function volumeFolders(own: string): VolumeFolders {
  let before: readonly Volume[] = []
  const find = ({ node, path }: Folder): { readonly top: string; readonly folder: string } | undefined => {
    const place = nodePlaces(own).find(one => one.node === node)
    // What a volume says may be anybody's.
    return place === undefined || !isVolumePath(path)
      ? undefined
      : { top: place.at(LAYOUT.volumes), folder: place.at(path) }
  }
  const make = (volume: Folder): void => {
    const found = find(volume)
    if (found === undefined) return
    mkdirSync(found.top, { recursive: true, mode: 0o755 })
    const isNew = mkdirSync(found.folder, { recursive: true }) !== undefined
    // The umask has taken bits away. What a Pod has set stays.
    if (isNew || isKubelets(found.folder)) chmodSync(found.folder, MODE)
  }
  const remove = async (volume: Folder): Promise<void> => {
    const found = find(volume)
    if (found !== undefined) await rm(found.folder, { recursive: true, force: true })
  }
  return {
    make,
    remove,
    settle: async volumes => {
      const nodes = nodePlaces(own).map(({ node }) => node)
      const steps = folderSteps(before, volumes, nodes)
      for (const volume of steps.make) make(volume)
      for (const volume of steps.remove) await remove(volume)
      before = volumes
      return steps.remove
    },
  }
}

function isKubelets(folder: string): boolean {
  return (statSync(folder).mode & 0o7777) === KUBELETS_MODE && readdirSync(folder).length === 0
}
