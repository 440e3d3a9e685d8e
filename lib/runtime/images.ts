/** Images in a runtime: which are there, and archives put into it. */
import { mustRun } from '../command.ts'
import type { Cri } from '../cri/client.ts'
import type { JsonObject } from '../json.ts'

/** The namespace in which containerd's CRI plugin looks for images. */
export const NAMESPACE = 'k8s.io'

/** Every tag and digest that the runtime has. */
export async function presentImages(cri: Cri): Promise<ReadonlySet<string>> {
  const { images } = await cri.call('ListImages')
  return new Set(
    ((images ?? []) as readonly JsonObject[]).flatMap(image => [
      ...(image.repoTags as readonly string[]),
      ...(image.repoDigests as readonly string[]),
    ]),
  )
}

/** The id of every image, `sha256:...`, by each of its names. */
export async function imageIds(cri: Cri): Promise<Readonly<Record<string, string>>> {
  const { images } = await cri.call('ListImages')
  return Object.fromEntries(
    ((images ?? []) as readonly JsonObject[]).flatMap(({ id, repoTags }) =>
      (repoTags as readonly string[]).map(name => [name, String(id)]),
    ),
  )
}

/**
 * Imports docker or OCI archives. `ctr` has to be of the daemon's own major version.
 * Throws a CommandError that names the archive.
 */
export async function importArchives(ctr: string, socket: string, archives: readonly string[]): Promise<void> {
  const address = socket.replace(/^unix:\/\//, '')
  for (const archive of archives) {
    await mustRun(`images: cannot import "${archive}"`, [
      ctr,
      '--address',
      address,
      '--namespace',
      NAMESPACE,
      'images',
      'import',
      archive,
    ])
  }
}
