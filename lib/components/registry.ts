/** Images from registries without a container runtime. Source: OCI distribution-spec 1.1. */
import { createHash } from 'node:crypto'
import { KubestepError } from '../errors.ts'
import { isObject, type Json, type JsonObject } from '../json.ts'
import { readAll, statusError } from './answer.ts'
import { authorized } from './authorize.ts'
import type { FindCredentials } from './credentials.ts'
import type { Endpoint } from './endpoints.ts'
import { TransferError } from './failure.ts'
import type { Answer, Network } from './network.ts'
import type { Reference } from './reference.ts'
import { type Persistence, persist } from './retry.ts'

const INDEXES: readonly string[] = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
]
const MANIFESTS: readonly string[] = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]

/** What a manifest says of a blob. */
export interface Descriptor {
  /** `sha256:...` */
  readonly digest: string
  readonly size: number
}

export interface Manifest {
  readonly bytes: Uint8Array
  readonly digest: string
  /** What the tag stands for, which is the digest of an index where there is one. */
  readonly source: string
  readonly mediaType: string
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
}

export interface Repository {
  /** The manifest of the image for an architecture. Throws a FetchError or a KubestepError. */
  readonly manifest: (arch: string) => Promise<Manifest>
  /** Where a blob can be had, first choice first. */
  readonly blobUrls: (descriptor: Descriptor) => readonly string[]
  /** Answers to what a registry wants to know. */
  readonly network: Network
}

export interface RepositoryOptions {
  /** Where it is asked for; see endpoints.ts. */
  readonly endpoints: readonly Endpoint[]
  readonly findCredentials: FindCredentials
  /** What the digest of the tag has to be, `sha256:...`. */
  readonly locked?: string
  /** Hears of tries that failed. */
  readonly onRetry: NonNullable<Persistence['onRetry']>
}

/** Opens the repository of an image. */
export function openRepository(reference: Reference, open: Network, options: RepositoryOptions): Repository {
  const { endpoints, findCredentials, locked, onRetry } = options
  const { repository, tag, digest, name } = reference
  const network = authorized(open, { endpoints, repository, findCredentials })
  const fetchManifest = (which: string): Promise<Raw> => {
    const isDigest = which.startsWith('sha256:')
    const asked = endpoints.filter(({ resolves }) => resolves || isDigest)
    const urls = asked.map(({ base }) => `${base}/${repository}/manifests/${which}`)
    return persist({ subject: `image ${name}`, urls, onRetry }, network, async url => {
      const answer = await network.get(url, () => ({ accept: [...INDEXES, ...MANIFESTS].join(', ') }))
      if (answer.status !== 200) {
        answer.discard()
        throw await refusal(answer, repository, findCredentials)
      }
      return readManifest(answer, isDigest ? which : locked)
    })
  }
  return {
    network,
    blobUrls: blob => endpoints.map(({ base }) => `${base}/${repository}/blobs/${blob.digest}`),
    manifest: async arch => {
      const top = await fetchManifest(digest ?? tag ?? 'latest')
      const inner = INDEXES.includes(top.mediaType) ? await fetchManifest(platformDigest(top, arch, reference)) : top
      return { ...imageManifest(inner, reference), source: top.digest }
    },
  }
}

/** What a status other than 200 means, where credentials may be the cause; they themselves are not shown. */
async function refusal(answer: Answer, repository: string, findCredentials: FindCredentials): Promise<TransferError> {
  const { status, url } = answer
  if (status !== 401 && status !== 403) return statusError(answer)
  const known = await findCredentials(url.host, repository)
  const reason =
    known === undefined
      ? `it wants a login, and there is none for it (docker login ${url.host})`
      : `it does not accept the login from ${known.source}`
  return new TransferError(url.host, `status ${status} for ${url.origin}${url.pathname}: ${reason}`, {
    again: false,
    reached: true,
  })
}

interface Raw {
  readonly bytes: Uint8Array
  readonly digest: string
  readonly mediaType: string
  readonly json: JsonObject
}

/** Checks a manifest against the digest that it has to have, where that is known. */
async function readManifest(answer: Answer, wanted: string | undefined): Promise<Raw> {
  const bytes = await readAll(answer)
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  const place = `${answer.url.origin}${answer.url.pathname}`
  const wrong = (reason: string): TransferError =>
    new TransferError(answer.url.host, `${reason} for ${place}`, { again: true, reached: true })
  if (wanted !== undefined && wanted !== digest) throw wrong(`the digest is ${digest} and has to be ${wanted}`)
  let json: Json
  try {
    json = JSON.parse(Buffer.from(bytes).toString()) as Json
  } catch {
    throw wrong('no image manifest')
  }
  if (!isObject(json)) throw wrong('no image manifest')
  const type = answer.header('content-type')?.split(';')[0]?.trim()
  return { bytes, digest, mediaType: typeof json.mediaType === 'string' ? json.mediaType : (type ?? ''), json }
}

/** The digest of the manifest for an architecture; attestations and other systems are passed over. */
function platformDigest({ json }: Raw, arch: string, { name }: Reference): string {
  const manifests = (Array.isArray(json.manifests) ? json.manifests : []).filter(isObject)
  const fits = manifests.find(
    ({ platform }) => isObject(platform) && platform.os === 'linux' && platform.architecture === arch,
  )
  if (typeof fits?.digest === 'string') return fits.digest
  const platforms = manifests.flatMap(({ platform }) =>
    isObject(platform) ? [`${platform.os}/${platform.architecture}`] : [],
  )
  throw new KubestepError(
    `images: cannot use image "${name}": it is not for linux/${arch} but for ${platforms.join(', ') || 'no platform at all'}; choose another one`,
  )
}

function imageManifest({ bytes, digest, mediaType, json }: Raw, { name }: Reference): Omit<Manifest, 'source'> {
  const config = descriptor(json.config)
  const layers = (Array.isArray(json.layers) ? json.layers : []).map(descriptor)
  const known = layers.filter(layer => layer !== undefined)
  if (MANIFESTS.includes(mediaType) && config !== undefined && known.length === layers.length) {
    return { bytes, digest, mediaType, config, layers: known }
  }
  throw new KubestepError(
    `images: cannot use image "${name}": its manifest is of type "${mediaType}", which is not known; choose another image`,
  )
}

function descriptor(value: Json | undefined): Descriptor | undefined {
  if (!isObject(value)) return undefined
  const { digest, size } = value
  const right = typeof digest === 'string' && /^sha256:[0-9a-f]{64}$/.test(digest) && typeof size === 'number'
  return right ? { digest, size } : undefined
}
