/** Whether a runtime has what is in an archive, found out without reading its layers. */
import { readTexts } from './archive-entries.ts'
import { archivedImages } from './archive-images.ts'

/**
 * Whether every image of an archive is `present` (as imageIds() gives them) under each of its names, by the id that its
 * content has. Of an archive that cannot be looked at so (compressed, damaged, for another `platform`) it is not said.
 */
export async function areInPlace(
  present: Promise<Readonly<Record<string, string>>>,
  archive: string,
  platform: string,
): Promise<boolean> {
  try {
    const [entries, ids] = await Promise.all([readTexts(archive), present])
    return archivedImages(entries, platform, archive).every(({ names, id }) =>
      names.every(({ whole }) => ids[whole] === id),
    )
  } catch {
    return false
  }
}
