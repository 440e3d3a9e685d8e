/** Manifests of images: which of an index is for an architecture, and what one consists of. Source: OCI image-spec 1.1. */
import { KubestepError } from '../../base/errors.ts'
import { isObject, type Json, type JsonObject } from '../../base/json.ts'
import { SMALL_BYTES } from './http-answer.ts'
import type { Reference } from './reference.ts'

export const INDEXES: readonly string[] = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
]
export const MANIFESTS: readonly string[] = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]

/** What a manifest says of a blob. */
export interface Descriptor {
  /** `sha256:...` */
  readonly digest: string
  readonly size: number
}

export interface Contents {
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
}

/** More than any runtime takes: overlayfs ends at 500. */
const MOST_LAYERS = 500

/**
 * The digest of the manifest for an architecture in an index; attestations and other systems are passed over.
 * Throws a KubestepError.
 */
export function platformDigest(index: JsonObject, arch: string, { name }: Reference): string {
  const manifests = (Array.isArray(index.manifests) ? index.manifests : []).filter(isObject)
  const fits = manifests.find(
    ({ platform }) => isObject(platform) && platform.os === 'linux' && platform.architecture === arch,
  )
  if (typeof fits?.digest === 'string' && DIGEST.test(fits.digest)) return fits.digest
  const platforms = manifests.flatMap(({ platform }) =>
    isObject(platform) ? [`${platform.os}/${platform.architecture}`] : [],
  )
  throw new KubestepError(
    `images: cannot use image "${name}": it is not for linux/${arch} but for ${platforms.join(', ') || 'no platform at all'}; choose another one`,
  )
}

/** What a manifest of that type names. Throws a KubestepError. */
export function contentsOf(mediaType: string, json: JsonObject, { name }: Reference): Contents {
  const config = descriptor(json.config)
  const listed = Array.isArray(json.layers) ? json.layers : []
  const layers = listed.slice(0, MOST_LAYERS + 1).map(descriptor)
  const known = layers.filter(layer => layer !== undefined)
  const cannot = `images: cannot use image "${name}":`
  if (!MANIFESTS.includes(mediaType) || config === undefined || known.length < layers.length) {
    throw new KubestepError(
      `${cannot} its manifest is of type "${mediaType}", which is not known; choose another image`,
    )
  }
  if (known.length > MOST_LAYERS) {
    throw new KubestepError(`${cannot} it has ${listed.length} layers, and ${MOST_LAYERS} are the most; choose another`)
  }
  // It is read into memory.
  if (config.size > SMALL_BYTES) {
    throw new KubestepError(`${cannot} its configuration has ${config.size} bytes; choose another image`)
  }
  return { config, layers: known }
}

const DIGEST = /^sha256:[0-9a-f]{64}$/

function descriptor(value: Json | undefined): Descriptor | undefined {
  if (!isObject(value)) return undefined
  const { digest, size } = value
  const isRight = typeof digest === 'string' && DIGEST.test(digest) && Number.isSafeInteger(size) && Number(size) >= 0
  return isRight ? { digest, size: Number(size) } : undefined
}
