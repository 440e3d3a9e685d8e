/** Where images to load come from: archives, standard input, Docker. Each ends as a plain tar on disk. */
import { createReadStream, createWriteStream, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { type Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { KubestepError, UsageError } from '../../base/errors.ts'
import { $, which } from '../../machine/command.ts'
import { explain } from '../../machine/files.ts'
import { roomFor } from '../fetch/space.ts'
import { compression } from './archive-entries.ts'

export interface Source {
  /** As the user wrote it. */
  readonly shown: string
  /** A plain tar. */
  readonly path: string
}

/** What the words of a command line name. */
export interface Wanted {
  readonly archives: readonly string[]
  readonly images: readonly string[]
}

/** Files are archives, `-` is standard input; the rest are images in Docker. Throws a UsageError for no words at all. */
export function wantedSources(words: readonly string[]): Wanted {
  if (words.length === 0) {
    throw new UsageError(
      'load: cannot load: no image is named; name archives (- for standard input) or images in Docker',
    )
  }
  const isArchive = (word: string): boolean => word === '-' || isFile(word)
  return {
    archives: words.filter(isArchive),
    images: words.filter(word => !isArchive(word)),
  }
}

/** Plain tars of everything wanted; what has to be made for that goes into `folder`. Throws a KubestepError. */
export async function provideSources({ archives, images }: Wanted, folder: string): Promise<Source[]> {
  const missing = images.filter(image => /^[./]|\.(?:tar|tgz|gz|zst)$/.test(image))
  if (missing.length > 0) {
    throw new KubestepError(
      missing.map(path => `load: cannot read "${path}": it does not exist; correct the path`).join('\n'),
    )
  }
  const saved = images.length === 0 ? [] : [await saveFromDocker(images, join(folder, 'docker.tar'))]
  const plain = await Promise.all(archives.map((archive, index) => unpacked(archive, join(folder, `${index}.tar`))))
  return [...saved, ...plain]
}

async function saveFromDocker(images: readonly string[], path: string): Promise<Source> {
  const shown = images.join(' ')
  const docker = which('docker')
  if (docker === undefined) {
    throw new KubestepError(
      `load: cannot load "${shown}": there is no such file, and no Docker on this machine to have such an image; name an archive`,
    )
  }
  const absent: string[] = []
  for (const image of images) {
    const { exitCode, stderr } = await $({ nothrow: true })`${docker} image inspect --format {{.Id}} ${image}`
    if (exitCode === 0) continue
    if (/Cannot connect|permission denied/i.test(stderr)) {
      throw new KubestepError(
        `load: cannot load "${shown}": there is no such file, and Docker does not answer (${stderr.trim().split('\n').at(-1)}); start it, or name an archive`,
      )
    }
    absent.push(
      `load: cannot load "${image}": Docker has no such image, and there is no such file; build or pull it first`,
    )
  }
  if (absent.length > 0) throw new KubestepError(absent.join('\n'))
  await $({ what: `load: cannot save "${shown}" from Docker` })`${docker} save --output ${path} ${images}`
  return { shown, path }
}

/** The archive itself where it is a plain file; otherwise a copy, unpacked. */
async function unpacked(archive: string, copy: string): Promise<Source> {
  if (archive !== '-') return { shown: archive, path: await decompressed(archive, archive, copy) }
  if (process.stdin.isTTY)
    throw new UsageError('load: cannot read standard input: it is a terminal; pipe an archive into it')
  const raw = `${copy}.stdin`
  await copying('standard input', process.stdin, raw)
  return { shown: 'standard input', path: await decompressed('standard input', raw, copy) }
}

async function decompressed(shown: string, path: string, copy: string): Promise<string> {
  const kind = compression(await firstBytes(shown, path))
  if (kind === undefined) return path
  if (kind === 'gzip') await copying(shown, createReadStream(path).pipe(createGunzip()), copy)
  else {
    const program = which(kind)
    if (program === undefined) {
      throw new KubestepError(
        `load: cannot read "${shown}": it is compressed with ${kind}, which is not here; unpack it first`,
      )
    }
    const limit = which('prlimit')
    // A few kilobytes can be made to unpack without end: what would fill the disk ends before.
    const within = limit === undefined ? [] : [limit, `--fsize=${roomFor(copy)}`, '--']
    await $({ what: `load: cannot unpack "${shown}"`, outputFile: copy })`${within} ${program} -dc -- ${path}`
  }
  return copy
}

async function firstBytes(shown: string, path: string): Promise<Uint8Array> {
  try {
    const file = await open(path)
    try {
      const bytes = new Uint8Array(4)
      await file.read(bytes, 0, bytes.length, 0)
      return bytes
    } finally {
      await file.close()
    }
  } catch (error) {
    throw new KubestepError(`load: cannot read "${shown}": ${explain(error)}`, { cause: error })
  }
}

async function copying(shown: string, from: Readable, to: string): Promise<void> {
  try {
    await pipeline(from, upToRoom(to), createWriteStream(to, { mode: 0o600 }))
  } catch (error) {
    if (error instanceof KubestepError) throw error
    throw new KubestepError(`load: cannot read "${shown}": ${explain(error)}`, { cause: error })
  }
}

/** Passes on what the disk of a file has room for. */
function upToRoom(path: string): Transform {
  const room = roomFor(path)
  let bytes = 0
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      bytes += chunk.length
      if (bytes <= room) done(null, chunk)
      else
        done(
          new KubestepError(
            `load: cannot unpack to "${path}": more than ${room} bytes come, and that is all there is room for; free some space`,
          ),
        )
    },
  })
}

function isFile(path: string): boolean {
  try {
    return !statSync(path).isDirectory()
  } catch {
    return false
  }
}
