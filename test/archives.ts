/** Archives of images, made from nothing, for tests of what reads them. */
import { createHash } from 'node:crypto'
import type { Json } from '../lib/base/json.ts'
import { tarEnd, tarHeader, tarPadding } from '../lib/supply/fetch/tar.ts'
import { readArchive } from '../lib/supply/registry/write-image-archive.ts'

export type Files = Readonly<Record<string, string | Uint8Array>>

/** A tar of these files, in this order. */
export function tarOf(files: Files): Buffer {
  const blocks = Object.entries(files).flatMap(([name, content]) => {
    const bytes = Buffer.from(content as string)
    return [tarHeader(name, bytes.length), bytes, tarPadding(bytes.length)]
  })
  return Buffer.concat([...blocks, tarEnd()])
}

export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}

export interface TestImage {
  readonly architecture?: string
  /** Makes the image another one. */
  readonly mark?: string
}

interface Parts {
  readonly layer: Buffer
  readonly config: string
}

function parts({ architecture = 'amd64', mark = '' }: TestImage): Parts {
  const layer = tarOf({ 'hello.txt': `hello ${architecture} ${mark}\n` })
  const config = JSON.stringify({
    architecture,
    os: 'linux',
    config: { Cmd: ['/hello'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] },
  })
  return { layer, config }
}

/** `sha256:...` by which a runtime knows the image. */
export function imageId(image: TestImage): string {
  return `sha256:${sha256(parts(image).config)}`
}

/** What `docker save` wrote up to Docker 24, as files. */
export function dockerFiles(image: TestImage, names: readonly string[] | null): Files {
  const { layer, config } = parts(image)
  const id = sha256(config)
  return {
    [`${id}.json`]: config,
    'layer1/layer.tar': layer,
    'manifest.json': JSON.stringify([{ Config: `${id}.json`, RepoTags: names, Layers: ['layer1/layer.tar'] }]),
  }
}

/** An OCI layout with an index of one manifest for each image; the first name annotation goes on the whole. */
export function ociFiles(images: readonly TestImage[], annotations: Readonly<Record<string, string>> = {}): Files {
  const blobs: Record<string, string | Uint8Array> = {}
  const add = (content: string | Uint8Array, mediaType: string): Record<string, Json> => {
    const digest = sha256(content)
    blobs[`blobs/sha256/${digest}`] = content
    return { mediaType, digest: `sha256:${digest}`, size: Buffer.byteLength(content as string) }
  }
  const manifests = images.map(image => {
    const { layer, config } = parts(image)
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: add(config, 'application/vnd.oci.image.config.v1+json'),
      layers: [add(layer, 'application/vnd.oci.image.layer.v1.tar')],
    })
    const platform = { os: 'linux', architecture: image.architecture ?? 'amd64' }
    return { ...add(manifest, 'application/vnd.oci.image.manifest.v1+json'), platform }
  })
  const index = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests }
  const top =
    images.length === 1 ? (manifests[0] ?? {}) : add(JSON.stringify(index), 'application/vnd.oci.image.index.v1+json')
  return {
    'oci-layout': '{"imageLayoutVersion":"1.0.0"}',
    'index.json': JSON.stringify({ schemaVersion: 2, manifests: [{ ...top, annotations }] }),
    ...blobs,
  }
}

/** The names of the images in an archive. */
export async function archiveImages(path: string): Promise<readonly string[] | undefined> {
  return (await readArchive(path))?.names
}
