/** Whether a runtime has what is in an archive, found out without reading its layers. */
import type { Cri } from '../cri/cri-client.ts'
import { imageIds } from '../runtime/import-archives.ts'
import { readTexts } from './archive-entries.ts'
import { archivedImages } from './archive-images.ts'

/**
 * Whether every image of an archive is there under each of its names, by the id that its content has. Of an archive
 * that cannot be looked at so (compressed, damaged, for another `platform`) it is not said.
 */
export async function areInPlace(cri: Cri, archive: string, platform: string): Promise<boolean> {
  try {
    const [entries, ids] = await Promise.all([readTexts(archive), imageIds(cri)])
    return archivedImages(entries, platform, archive).every(({ names, id }) =>
      names.every(({ whole }) => ids[whole] === id),
    )
  } catch {
    return false
  }
}
