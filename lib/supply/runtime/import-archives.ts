/** Images in a runtime: which are there, and archives put into it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { CommandError, KubestepError } from '../../base/errors.ts'
import type { JsonObject } from '../../base/json.ts'
import { $ } from '../../machine/command.ts'
import { type Cri, openCri } from '../cri/cri-client.ts'

/** The namespace in which containerd's CRI plugin looks for images. */
export const NAMESPACE = 'k8s.io'

/** How long a runtime that ended may take to be back; whoever keeps it running starts it again after a second. */
const BACK_LIMIT_MS = 15_000

/** So often an import is begun again. */
const TRIES = 3

/** What ctr says when the daemon goes away under it, or is not there yet again. */
const AWAY =
  /unavailable|transport is closing|connection (?:refused|reset|error)|failed to dial|error reading from server|ttrpc: closed|\bEOF\b/i

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

export interface ImportOptions {
  /** Hears of each archive that is in the runtime. */
  readonly onImported?: (archive: string) => void
  /** Whether the daemon serves; asked of its socket when left out. */
  readonly isThere?: () => Promise<boolean>
  readonly backLimitMs?: number
}

/**
 * Imports docker or OCI archives. `ctr` has to be of the daemon's own major version.
 * A daemon that ends meanwhile and comes back gets the archive again. Throws a KubestepError that names the archive.
 */
export async function importArchives(
  ctr: string,
  socket: string,
  archives: readonly string[],
  { onImported, ...daemon }: ImportOptions = {},
): Promise<void> {
  const address = socket.replace(/^unix:\/\//, '')
  for (const archive of archives) {
    const command = [ctr, '--address', address, '--namespace', NAMESPACE, 'images', 'import', archive]
    await again(socket, archive, daemon, () => $({ what: `images: cannot import "${archive}"` })`${command}`)
    onImported?.(archive)
  }
}

async function again(
  socket: string,
  archive: string,
  { isThere = () => serves(socket), backLimitMs = BACK_LIMIT_MS }: ImportOptions,
  work: () => Promise<unknown>,
): Promise<void> {
  for (let left = TRIES - 1; ; left--) {
    try {
      await work()
      return
    } catch (error) {
      // One that was killed says nothing of the daemon.
      if (left === 0 || !(error instanceof CommandError) || error.exitCode === null) throw error
      if (!AWAY.test(error.output) && (await isThere())) throw error
      await back(socket, archive, { isThere, backLimitMs }, error)
    }
  }
}

async function back(
  socket: string,
  archive: string,
  { isThere, backLimitMs }: Required<Omit<ImportOptions, 'onImported'>>,
  cause: CommandError,
): Promise<void> {
  const end = performance.now() + backLimitMs
  while (!(await isThere())) {
    if (performance.now() > end) {
      throw new KubestepError(
        `images: cannot import "${archive}": the runtime at "${socket}" went away meanwhile, and is not back after ${backLimitMs / 1000} s (${cause.message.split(': ').at(-1)}); its log says why`,
        { cause },
      )
    }
    await sleep(200)
  }
}

async function serves(socket: string): Promise<boolean> {
  const cri = await openCri(socket).catch(() => undefined)
  cri?.close()
  return cri !== undefined
}
