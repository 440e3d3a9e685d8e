/** Writes the folder that `--artifacts` takes. */
import { constants, copyFileSync, renameSync } from 'node:fs'
import { basename, join } from 'node:path'
import { listNames, makeRoom, removeFile, temporaryFor, writeText, writing } from '../fetch/cache-store.ts'
import { checksumOf } from '../fetch/checksum.ts'
import type { Artifacts } from './artifacts.ts'

/**
 * Copies components into a folder: `bin/`, `cni/bin/`, `images/`, and SHA256SUMS for `sha256sum -c` once they have
 * travelled. Each file whole or not at all; gives how many. Throws a KubestepError.
 */
export async function writeBundle(folder: string, components: Artifacts): Promise<number> {
  const { kubelet, kubectl, cniBinDir, imageArchives } = components
  const copies: readonly (readonly [from: string, to: string])[] = [
    [kubelet, 'bin/kubelet'],
    ...(kubectl === undefined ? [] : [[kubectl, 'bin/kubectl'] as const]),
    ...(cniBinDir === undefined
      ? []
      : listNames(cniBinDir).map(name => [join(cniBinDir, name), `cni/bin/${name}`] as const)),
    ...imageArchives.map(path => [path, `images/${archiveName(path)}`] as const),
  ]
  for (const [from, to] of copies) await copy(from, join(folder, to))
  const sums = await Promise.all(copies.map(async ([, to]) => `${await checksumOf(join(folder, to))}  ${to}\n`))
  await writeText(join(folder, 'SHA256SUMS'), sums.join(''))
  return copies.length
}

/** Copies archives of images to `images/` of a folder for `--artifacts`; gives the paths. Throws a KubestepError. */
export async function copyArchives(folder: string, archives: readonly string[]): Promise<string[]> {
  const paths = archives.map(path => join(folder, 'images', archiveName(path)))
  for (const [index, path] of paths.entries()) await copy(archives[index] ?? '', path)
  return paths
}

/** `.../coredns/coredns/v1.14.2.tar` becomes `coredns-v1.14.2.tar`. */
function archiveName(path: string): string {
  return `${basename(join(path, '..'))}-${basename(path)}`
}

async function copy(from: string, to: string): Promise<void> {
  await makeRoom(to)
  await writing(to, () => {
    const temporary = temporaryFor(to)
    try {
      // File systems that can share the blocks do.
      copyFileSync(from, temporary, constants.COPYFILE_FICLONE)
      renameSync(temporary, to)
    } finally {
      removeFile(temporary)
    }
  })
}
