/** Images in a runtime: which are there, and archives put into it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { mustRun } from '../command.ts'
import { type Cri, openCri } from '../cri/client.ts'
import { CommandError, KubestepError } from '../errors.ts'
import type { JsonObject } from '../json.ts'

/** The namespace in which containerd's CRI plugin looks for images. */
export const NAMESPACE = 'k8s.io'

/** How long a runtime that ended may take to be back; whoever keeps it running starts it again after a second. */
const BACK_LIMIT_MS = 15_000

/** So often an import is begun again. */
const TRIES = 3

/** What ctr says when the daemon goes away under it, or is not there yet again. */
const AWAY =
  /connection refused|connection reset|Unavailable|failed to dial|error reading from server|no such file or directory"?$|ttrpc: closed|\bEOF\b/

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
 * Imports docker or OCI archives; `onImported` hears of each. `ctr` has to be of the daemon's own major version.
 * A daemon that ends meanwhile and comes back gets the archive again. Throws a KubestepError that names the archive.
 */
export async function importArchives(
  ctr: string,
  socket: string,
  archives: readonly string[],
  onImported: (archive: string) => void = () => {},
): Promise<void> {
  const address = socket.replace(/^unix:\/\//, '')
  for (const archive of archives) {
    const command = [ctr, '--address', address, '--namespace', NAMESPACE, 'images', 'import', archive]
    await again(socket, archive, () => mustRun(`images: cannot import "${archive}"`, command))
    onImported(archive)
  }
}

async function again(socket: string, archive: string, work: () => Promise<unknown>): Promise<void> {
  for (let left = TRIES - 1; ; left--) {
    try {
      await work()
      return
    } catch (error) {
      // One that was killed says nothing of the daemon.
      const isAway = error instanceof CommandError && error.exitCode !== null && AWAY.test(error.output)
      if (!isAway || left === 0) throw error
      await back(socket, archive, error)
    }
  }
}

async function back(socket: string, archive: string, cause: CommandError): Promise<void> {
  const end = performance.now() + BACK_LIMIT_MS
  for (;;) {
    const cri = await openCri(socket).catch(() => undefined)
    cri?.close()
    if (cri !== undefined) return
    if (performance.now() > end) {
      throw new KubestepError(
        `images: cannot import "${archive}": the runtime at "${socket}" went away meanwhile, and is not back after ${BACK_LIMIT_MS / 1000} s (${cause.message.split(': ').at(-1)}); its log says why`,
        { cause },
      )
    }
    await sleep(200)
  }
}
