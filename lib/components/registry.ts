/**
 * Images from registries without a container runtime. Anonymous, as registry.k8s.io and public images allow.
 * Source: OCI distribution-spec 1.1; docker token authentication.
 */
import { createHash } from 'node:crypto'
import { KubestepError } from '../errors.ts'
import { isObject, type Json, type JsonObject } from '../json.ts'
import { readAll, statusError } from './answer.ts'
import { TransferError } from './failure.ts'
import type { Answer, HeadersFor, Network } from './network.ts'
import { type Reference, registryAddress } from './reference.ts'
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
  readonly mediaType: string
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
}

export interface Repository {
  /** The manifest of the image for an architecture. Throws a FetchError or a KubestepError. */
  readonly manifest: (arch: string) => Promise<Manifest>
  readonly blobUrl: (descriptor: Descriptor) => string
  /** Tokens, for the hosts that gave one. */
  readonly headers: HeadersFor
}

/** Opens the repository of an image. `onRetry` hears of tries that failed. */
export function openRepository(
  reference: Reference,
  network: Network,
  onRetry: NonNullable<Persistence['onRetry']>,
): Repository {
  const base = `${registryAddress(reference)}/v2/${reference.repository}`
  const tokens = new Map<string, string>()
  const headers: HeadersFor = ({ origin }) => {
    const token = tokens.get(origin)
    return { accept: [...INDEXES, ...MANIFESTS].join(', '), ...(token !== undefined && { authorization: token }) }
  }
  const fetchManifest = (which: string): Promise<Raw> =>
    persist(
      { subject: `image ${reference.name}`, urls: [`${base}/manifests/${which}`], onRetry },
      network,
      async url => {
        let answer = await network.get(url, headers)
        if (answer.status === 401) {
          tokens.set(answer.url.origin, `Bearer ${await fetchToken(answer, network)}`)
          answer = await network.get(url, headers)
        }
        if (answer.status !== 200) {
          answer.discard()
          throw statusError(answer)
        }
        return readManifest(answer, which)
      },
    )
  return {
    headers,
    blobUrl: ({ digest }) => `${base}/blobs/${digest}`,
    manifest: async arch => {
      const { tag, digest } = reference
      const top = await fetchManifest(digest ?? tag ?? 'latest')
      if (!INDEXES.includes(top.mediaType)) return imageManifest(top, reference)
      return imageManifest(await fetchManifest(platformDigest(top, arch, reference)), reference)
    },
  }
}

interface Raw {
  readonly bytes: Uint8Array
  readonly digest: string
  readonly mediaType: string
  readonly json: JsonObject
}

/** Checks a manifest against the digest it was asked for by. */
async function readManifest(answer: Answer, which: string): Promise<Raw> {
  const bytes = await readAll(answer)
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  const place = `${answer.url.origin}${answer.url.pathname}`
  const wrong = (reason: string): TransferError =>
    new TransferError(answer.url.host, `${reason} for ${place}`, { again: true, reached: true })
  if (which.startsWith('sha256:') && which !== digest) throw wrong(`the digest is ${digest}`)
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

function imageManifest({ bytes, digest, mediaType, json }: Raw, { name }: Reference): Manifest {
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

/** Asks for a token where a 401 says to. */
async function fetchToken(refusal: Answer, network: Network): Promise<string> {
  const { host } = refusal.url
  refusal.discard()
  const challenge = refusal.header('www-authenticate') ?? ''
  const parameters = new Map(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value]),
  )
  const realm = parameters.get('realm')
  if (!/^Bearer /i.test(challenge) || realm === undefined || !URL.canParse(realm)) {
    throw new TransferError(host, 'it asks for a user name and a password, and only public images are fetched', {
      again: false,
      reached: true,
    })
  }
  const url = new URL(realm)
  for (const key of ['service', 'scope']) {
    const value = parameters.get(key)
    if (value !== undefined) url.searchParams.set(key, value)
  }
  const answer = await network.get(url.href)
  if (answer.status !== 200) {
    answer.discard()
    throw statusError(answer)
  }
  const { token, access_token } = JSON.parse(Buffer.from(await readAll(answer)).toString()) as JsonObject
  const text = token ?? access_token
  if (typeof text === 'string') return text
  throw new TransferError(answer.url.host, 'it gives no token', { again: true, reached: true })
}
