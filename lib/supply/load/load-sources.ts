/** Sources of images into a runtime, all or none of them. */

import { KubestepError, reasonOf } from '../../base/errors.ts'
import { openQueue } from '../fetch/queue.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { readEntries } from './archive-entries.ts'
import { archivedImages } from './archive-images.ts'
import type { Source } from './image-sources.ts'
import { importImages, type LoadedImage } from './proven-import.ts'

const AT_ONCE = 4

/**
 * Looks at every source first: when one is damaged, for another platform, or without a name, none is imported, and
 * the KubestepError tells of all that are. Gives what the runtime has then, in the order of the sources.
 */
export async function loadSources(
  runtime: Runtime,
  sources: readonly Source[],
  platform: string,
): Promise<LoadedImage[]> {
  const queue = openQueue(AT_ONCE)
  const looked = await settled(
    sources.map(source =>
      queue(async () => ({
        ...source,
        images: archivedImages(await readEntries(source.path), platform, source.shown),
      })),
    ),
  )
  return (await settled(looked.map(({ path, images }) => queue(() => importImages(runtime, path, images))))).flat()
}

/** All values, or one error with all messages. */
async function settled<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const outcomes = await Promise.allSettled(work)
  const reasons = outcomes.flatMap(outcome => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []))
  const fault = reasons.find(reason => !(reason instanceof KubestepError))
  if (fault !== undefined) throw fault
  if (reasons.length > 0) throw new KubestepError(reasons.map(reasonOf).join('\n'))
  return outcomes.flatMap(outcome => (outcome.status === 'fulfilled' ? [outcome.value] : []))
}
