/**
 * Serves an artifacts folder as the internet would: binaries as dl.k8s.io has them, images as a registry. For real
 * downloads on a machine that reaches neither. Run it as `artifacts-mirror.mts FOLDER VERSION PORT`.
 */
import { createHash } from 'node:crypto'
import {
  createReadStream,
  createWriteStream,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { architecture } from '../../lib/base/platform.ts'
import { fileSource } from '../../lib/supply/fetch/byte-source.ts'
import { checksumOf } from '../../lib/supply/fetch/checksum.ts'
import { readTar } from '../../lib/supply/fetch/tar.ts'
import { OCI_MANIFEST } from './download-registry-server.mts'

type Content = { readonly file: string } | { readonly text: string; readonly type: string }

export interface ArtifactsMirror {
  /** `127.0.0.1:port`, for files and images alike. */
  readonly host: string
  readonly requests: readonly string[]
  readonly close: () => void
}

/** Layers are unpacked into a temporary folder, which goes with the server. */
export async function openArtifactsMirror(folder: string, version: string, port = 0): Promise<ArtifactsMirror> {
  const blobs = mkdtempSync(join(tmpdir(), 'kubestep-mirror-'))
  const contents = new Map<string, Content>()
  for (const name of ['kubelet', 'kubectl']) {
    const file = join(folder, 'bin', name)
    const path = `/release/${version}/bin/linux/${architecture()}/${name}`
    contents.set(path, { file })
    contents.set(`${path}.sha256`, { text: (await checksumOf(file)) ?? '', type: 'text/plain' })
  }
  for (const name of readdirSync(join(folder, 'images')))
    await addArchive(join(folder, 'images', name), blobs, contents)
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    // containerd says behind ? whose mirror it takes this for.
    const content = contents.get(request.url?.split('?')[0] ?? '')
    if (content === undefined) response.writeHead(404).end()
    else if ('file' in content) sendFile(content.file, request, response)
    else
      response
        .writeHead(200, { 'content-type': content.type, 'content-length': Buffer.byteLength(content.text) })
        .end(request.method === 'HEAD' ? '' : content.text)
  })
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () => {
      server.close()
      server.closeAllConnections()
      rmSync(blobs, { recursive: true })
    },
  }
}

function sendFile(file: string, request: IncomingMessage, response: ServerResponse): void {
  const size = statSync(file).size
  const from = /^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1]
  const start = Number(from ?? 0)
  const range = from === undefined ? {} : { 'content-range': `bytes ${start}-${size - 1}/${size}` }
  response.writeHead(from === undefined ? 200 : 206, { 'content-length': size - start, ...range })
  if (request.method === 'HEAD') response.end()
  else createReadStream(file, { start }).pipe(response)
}

/** What docker save wrote, image by image. */
async function addArchive(path: string, blobs: string, contents: Map<string, Content>): Promise<void> {
  const digests = new Map<string, { readonly digest: string; readonly size: number }>()
  const archive = await open(path)
  for await (const { name, kind, content } of readTar(fileSource(archive), path)) {
    if (kind !== 'file') continue
    const hash = createHash('sha256')
    const temporary = join(blobs, 'unfinished')
    const file = createWriteStream(temporary)
    for await (const chunk of content()) {
      hash.update(chunk)
      file.write(chunk)
    }
    file.end()
    await finished(file)
    const digest = hash.digest('hex')
    renameSync(temporary, join(blobs, digest))
    digests.set(name, { digest: `sha256:${digest}`, size: statSync(join(blobs, digest)).size })
  }
  await archive.close()
  const blobFile = (name: string): string => join(blobs, digests.get(name)?.digest.replace('sha256:', '') ?? '')
  const list = JSON.parse(readFileSync(blobFile('manifest.json'), 'utf8'))
  for (const { Config, RepoTags, Layers } of list as { Config: string; RepoTags: string[]; Layers: string[] }[]) {
    const parts = [Config, ...Layers]
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...digests.get(Config) },
      layers: Layers.map(layer => ({ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...digests.get(layer) })),
    })
    for (const tag of RepoTags) {
      const [, repository, label] = /^[^/]+\/(.+):([^:]+)$/.exec(tag) ?? []
      // Below the registry's own name for mirrors, and with the short one of CoreDNS for --image-repository.
      for (const name of new Set([repository ?? '', repository?.split('/').at(-1) ?? ''])) {
        const base = `/v2/${name}`
        const content = { text: manifest, type: OCI_MANIFEST }
        contents.set(`${base}/manifests/${label}`, content)
        contents.set(`${base}/manifests/sha256:${createHash('sha256').update(manifest).digest('hex')}`, content)
        for (const part of parts) contents.set(`${base}/blobs/${digests.get(part)?.digest}`, { file: blobFile(part) })
      }
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder = '', version = '', port] = process.argv.slice(2)
  const mirror = await openArtifactsMirror(folder, version, Number(port ?? 0))
  process.stdout.write(`${mirror.host}\n`)
  process.on('SIGTERM', () => {
    mirror.close()
    process.exit()
  })
}
