/**
 * An archive that was shown to be the right one may lie where somebody else can put another in its place afterwards. What
 * counts is what root holds: the bytes that went into its store, or a copy that nobody else can reach.
 */
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { KubestepError } from '../../base/errors.ts'
import { isInCustody } from '../../machine/file-custody.ts'
import { readEntries } from './archive-entries.ts'
import { type ArchivedImage, archivedImages } from './archive-images.ts'
import { makeWorkFolder, remove } from './work-folder.ts'

/** Throws a KubestepError when one of the images is not the one with that id; without an id any will do. */
export function checkHeld(images: readonly ArchivedImage[], id: string | undefined, shown: string): void {
  if (id === undefined || images.every(image => image.id === id)) return
  throw new KubestepError(
    `images: cannot use "${shown}": it has changed since it was looked at; see who else can write there, and try again`,
  )
}

/** Does something with an archive by its path, which stays as it is meanwhile. Throws a KubestepError, and what `work` throws. */
export async function withHeld(
  archive: string,
  platform: string,
  id: string | undefined,
  work: (path: string) => Promise<unknown>,
): Promise<void> {
  if (id === undefined || isInCustody(archive)) return void (await work(archive))
  const folder = makeWorkFolder()
  try {
    const copy = join(folder, 'image.tar')
    copyFileSync(archive, copy)
    checkHeld(archivedImages(await readEntries(copy), platform, archive), id, archive)
    await work(copy)
  } finally {
    remove(folder)
  }
}
