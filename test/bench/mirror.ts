/** A mirror of the download sites and of the registry on the loopback, with the parts of a folder of artifacts, as slow as asked. */
import { createHash, randomUUID } from 'node:crypto'
import {
  createReadStream,
  createWriteStream,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { createGzip } from 'node:zlib'
import { KubestepError } from '../../lib/base/errors.ts'
import { architecture } from '../../lib/base/platform.ts'
import { $ } from '../../lib/machine/command.ts'
import { COMPONENTS } from '../../lib/supply/components/component-table.ts'
import { fileKey } from '../../lib/supply/fetch/digest-lock.ts'
import { readReference } from '../../lib/supply/fetch/reference.ts'
import { readEntries } from '../../lib/supply/load/archive-entries.ts'
import { archivedImages } from '../../lib/supply/load/archive-images.ts'

export interface Mirror {
  readonly url: string
  /** File with the digests of what it has. */
  readonly lock: string
  /** Where each component lies, by its name. */
  readonly files: Readonly<Record<string, string>>
  readonly close: () => void
}

interface Stored {
  readonly type: string
  readonly path: string
}

const BYTES_PER_MS = 100_000
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'

/** Opens one over `artifacts`; what it serves lies in `folder`. Throws a KubestepError. */
export async function openMirror(artifacts: string, version: string, folder: string): Promise<Mirror> {
  mkdirSync(folder, { recursive: true })
  const contents = new Map<string, Stored>()
  const files: Record<string, string> = {}
  const lines: string[] = []
  const wish = { version, arch: architecture() }
  for (const component of COMPONENTS) {
    const path = join(folder, component.name)
    if (component.kind === 'archive') {
      // Of a copy: a cluster that is being taken away may still lose its links to these files, which tar takes for a change.
      await $`cp -r ${join(artifacts, 'cni/bin')} ${path}.d`
      await $`tar -C ${path}.d -czf ${path} .`
    } else await $`cp ${join(artifacts, 'bin', component.name)} ${path}`
    const url = `${new URL(component.bases(wish)[0] ?? '').pathname}/${component.path(wish)}`
    contents.set(url, { type: 'application/octet-stream', path })
    files[component.name] = url
    lines.push(`${checksum(path)}  ${fileKey(component.name, component.version(wish), wish.arch)}`)
  }
  for (const name of readdirSync(join(artifacts, 'images')))
    await addImages(join(artifacts, 'images', name), folder, contents)
  const lock = join(folder, 'lock')
  writeFileSync(lock, `${lines.join('\n')}\n`)
  const server = createServer((request, response) => void answer(request, response, contents))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lock,
    files,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

function checksum(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}

/** As a registry has them: layers compressed. */
async function addImages(archive: string, folder: string, contents: Map<string, Stored>): Promise<void> {
  const entries = await readEntries(archive, () => {
    const path = join(folder, randomUUID())
    const file = createWriteStream(path)
    return {
      write: async bytes => void file.write(bytes),
      end: async sum => {
        await new Promise<void>(resolve => file.end(resolve))
        await $`mv ${path} ${join(folder, sum)}`
      },
    }
  })
  for (const { names, parts } of archivedImages(entries, `linux/${architecture()}`, archive)) {
    if (parts === undefined) throw new KubestepError(`bench: cannot serve "${archive}": it has several platforms`)
    const repository = readReference(names[0]?.whole ?? '')
    const blob = (path: string, mediaType: string): object => {
      const digest = `sha256:${checksum(path)}`
      contents.set(`/v2/${repository.repository}/blobs/${digest}`, { type: 'application/octet-stream', path })
      return { mediaType, digest, size: statSync(path).size }
    }
    const layers = []
    for (const { file } of parts.layers) {
      const path = join(folder, `${file.checksum}.gz`)
      await pipeline(
        createReadStream(join(folder, file.checksum ?? '')),
        createGzip({ level: 1 }),
        createWriteStream(path),
      )
      layers.push(blob(path, 'application/vnd.oci.image.layer.v1.tar+gzip'))
    }
    const config = blob(join(folder, parts.config.checksum ?? ''), 'application/vnd.oci.image.config.v1+json')
    const path = join(folder, `${parts.config.checksum}.manifest`)
    writeFileSync(path, JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers }))
    for (const name of [repository.tag, `sha256:${checksum(path)}`])
      contents.set(`/v2/${repository.repository}/manifests/${name}`, { type: MANIFEST, path })
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  contents: ReadonlyMap<string, Stored>,
): Promise<void> {
  const stored = contents.get(decodeURIComponent((request.url ?? '').split('?')[0] ?? ''))
  if (request.url === '/v2/') return void response.writeHead(200).end()
  if (stored === undefined) return void response.writeHead(404).end()
  response.writeHead(200, {
    'content-type': stored.type,
    'content-length': statSync(stored.path).size,
    'docker-content-digest': `sha256:${/sha256:([0-9a-f]{64})$/.exec(request.url ?? '')?.[1] ?? checksum(stored.path)}`,
  })
  if (request.method === 'HEAD') return void response.end()
  try {
    await pipeline(createReadStream(stored.path), held, response)
  } catch {
    // Who asked has gone.
  }
}

/** All answers together get so many bytes a second. */
let freeAt = 0

async function* held(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    const now = performance.now()
    freeAt = Math.max(freeAt, now) + chunk.length / BYTES_PER_MS
    if (freeAt - now > 2) await sleep(freeAt - now)
    yield chunk
  }
}
