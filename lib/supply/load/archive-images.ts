/**
 * The images in an archive, docker's or OCI's: names, platform, id, and whether all of it is there and undamaged.
 * Source: docker image spec 1.2 (docker save), OCI image-layout 1.0, containerd images/archive/importer.go (1.6).
 */

import { KubestepError, reasonOf } from '../../base/errors.ts'
import { isObject, type Json, type JsonObject, objectOf } from '../../base/json.ts'
import { readReference } from '../fetch/reference.ts'
import type { ArchiveEntry } from './archive-entries.ts'

/** A file of an archive that is part of an image, by its content. */
export interface Part {
  /** SHA-256 of it in hex; undefined for a link. */
  readonly checksum?: string
  readonly size: number
  readonly compressed: boolean
}

/** What an image is made of. */
export interface Parts {
  /** Of an OCI image; docker's has none. */
  readonly manifest?: { readonly file: Part; readonly mediaType: string; readonly content: JsonObject }
  readonly config: Part
  /** From the lowest up, each with what it unpacks to. */
  readonly layers: readonly { readonly file: Part; readonly diffId: string }[]
}

export interface ArchivedImage {
  /** As the archive has it, which is what containerd calls it; and the whole name, which the kubelet asks for. */
  readonly names: readonly { readonly given: string; readonly whole: string }[]
  /** E.g. `linux/amd64`. */
  readonly platform: string
  /** `sha256:...` of its configuration: what a runtime knows it by. */
  readonly id: string
  /** undefined for one of several in an index, of which all belong together. */
  readonly parts?: Parts
}

type Entries = ReadonlyMap<string, ArchiveEntry>

/** containerd's annotation for the whole name; OCI's own one may be the tag alone. */
const NAME_ANNOTATIONS: readonly string[] = ['io.containerd.image.name', 'org.opencontainers.image.ref.name']

/**
 * The images for a platform. `shown` is the archive's name for messages. Throws a KubestepError when something is
 * missing or damaged, when an image has no name, or when there is none for the platform.
 */
export function archivedImages(entries: Entries, platform: string, shown: string): ArchivedImage[] {
  const fail = (reason: string): KubestepError => new KubestepError(`load: cannot load "${shown}": ${reason}`)
  const found = entries.has('index.json')
    ? ociImages(entries, platform, fail)
    : entries.has('manifest.json')
      ? dockerImages(entries, fail)
      : undefined
  if (found === undefined) {
    throw fail('it is no archive of images (no manifest.json or index.json in it); make it with docker save')
  }
  if (found.length === 0) throw fail('there is no image in it; make it again')
  const fitting = found.filter(image => image.platform === platform)
  if (fitting.length === 0) {
    const platforms = [...new Set(found.map(image => image.platform))].join(', ')
    throw fail(`it is for ${platforms} and this machine is ${platform}; make it with --platform ${platform}`)
  }
  if (fitting.some(({ names }) => names.length === 0)) {
    throw fail(
      'an image in it has no name, so no Pod could ask for it; give it one (docker tag) and save it by that name',
    )
  }
  return fitting
}

type Fail = (reason: string) => KubestepError

function dockerImages(entries: Entries, fail: Fail): ArchivedImage[] {
  return list(jsonOf(entries, 'manifest.json', fail)).map(({ Config, RepoTags, Layers }) => {
    const config = jsonOf(entries, String(Config), fail)
    const { diff_ids: diffIds } = objectOf(objectOf(config).rootfs)
    strings(Layers).forEach((layer, index) => {
      const entry = entries.get(layer)
      if (entry === undefined) throw fail(`its layer ${layer} is missing; make it again`)
      // What is compressed goes by its own checksum, which is its name; a link leads to a layer that is checked itself.
      const wanted = entry.compressed ? blobChecksum(layer) : String(strings(diffIds)[index]).replace('sha256:', '')
      if (entry.checksum !== undefined && wanted !== undefined && wanted !== entry.checksum) {
        throw fail(`its layer ${layer} is damaged; make it again`)
      }
    })
    return {
      names: strings(RepoTags).map(given => ({ given: wholeName(given), whole: wholeName(given) })),
      platform: platformOf(config),
      id: `sha256:${entries.get(String(Config))?.checksum}`,
      parts: {
        config: partOf(entries, String(Config)),
        layers: strings(Layers).map((layer, index) => ({
          file: partOf(entries, layer),
          diffId: String(strings(diffIds)[index]),
        })),
      },
    }
  })
}

// Its being there has been seen to.
function partOf(entries: Entries, name: string): Part {
  return entries.get(name) ?? { size: 0, compressed: false }
}

interface Descriptor {
  readonly digest: string
  readonly mediaType: string
  readonly platform?: string
}

function ociImages(entries: Entries, platform: string, fail: Fail): ArchivedImage[] {
  const index = jsonOf(entries, 'index.json', fail)
  return list(objectOf(index).manifests).flatMap(top => {
    const annotations = objectOf(top.annotations)
    const given = NAME_ANNOTATIONS.map(key => annotations[key]).find(
      value => typeof value === 'string' && /[/:]/.test(value),
    )
    const names = given === undefined ? [] : [{ given: String(given), whole: wholeName(String(given)) }]
    const manifests = manifestsBelow(descriptorOf(top), entries, fail)
    const fitting = manifests.filter(manifest => (manifest.platform ?? platform) === platform)
    // Of an image for several platforms only the one that fits has to be there.
    if (fitting.length === 0) return manifests.map(manifest => ({ names, platform: String(manifest.platform), id: '' }))
    const isAlone = manifests.length === 1 && manifests[0]?.digest === top.digest
    return fitting.map(manifest => ociImage(manifest, names, entries, fail, isAlone))
  })
}

/** An index holds manifests, or further indexes; what stands for no platform (attestations) is left out. */
function manifestsBelow(descriptor: Descriptor, entries: Entries, fail: Fail): Descriptor[] {
  if (!/index|manifest\.list/.test(descriptor.mediaType)) return [descriptor]
  const index = jsonOf(entries, blobPath(descriptor.digest), fail)
  return list(objectOf(index).manifests)
    .map(descriptorOf)
    .filter(({ platform }) => platform === undefined || !platform.includes('unknown'))
    .flatMap(inner => manifestsBelow(inner, entries, fail))
}

function ociImage(
  { digest, mediaType }: Descriptor,
  names: ArchivedImage['names'],
  entries: Entries,
  fail: Fail,
  isAlone: boolean,
): ArchivedImage {
  const content = objectOf(jsonOf(entries, blobPath(digest), fail))
  const { config, layers } = content
  const id = String(objectOf(config).digest)
  for (const blob of [digest, id, ...list(layers).map(layer => String(layer.digest))]) {
    const entry = entries.get(blobPath(blob))
    if (entry === undefined) throw fail(`its part ${blob} is missing; make it again`)
    if (entry.checksum !== undefined && blob !== `sha256:${entry.checksum}`) {
      throw fail(`its part ${blob} is damaged; make it again`)
    }
  }
  const settings = jsonOf(entries, blobPath(id), fail)
  const image = { names, platform: platformOf(settings), id }
  if (!isAlone) return image
  const diffIds = strings(objectOf(objectOf(settings).rootfs).diff_ids)
  return {
    ...image,
    parts: {
      manifest: { file: partOf(entries, blobPath(digest)), mediaType, content },
      config: partOf(entries, blobPath(id)),
      layers: list(layers).map((layer, index) => ({
        file: partOf(entries, blobPath(String(layer.digest))),
        diffId: String(diffIds[index]),
      })),
    },
  }
}

function descriptorOf(value: JsonObject): Descriptor {
  const { os, architecture } = objectOf(value.platform)
  return {
    digest: String(value.digest),
    mediaType: String(value.mediaType ?? ''),
    ...(typeof architecture === 'string' && { platform: `${os}/${architecture}` }),
  }
}

function platformOf(config: Json): string {
  const { os, architecture } = objectOf(config)
  return `${os ?? 'linux'}/${architecture ?? 'unknown'}`
}

function blobPath(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`
}

function blobChecksum(path: string): string | undefined {
  return /blobs\/sha256\/([0-9a-f]{64})$/.exec(path)?.[1]
}

function wholeName(given: string): string {
  return readReference(given).name
}

function jsonOf(entries: Entries, name: string, fail: Fail): Json {
  const entry = entries.get(name)
  if (entry === undefined) throw fail(`its ${name} is missing; make it again`)
  try {
    return JSON.parse(entry.text ?? '') as Json
  } catch (error) {
    throw fail(`its ${name} is damaged (${reasonOf(error)}); make it again`)
  }
}

function list(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

function strings(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.map(String) : []
}
