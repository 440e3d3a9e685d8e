/** Images from registries without a container runtime. Source: OCI distribution-spec 1.1. */
import { createHash } from 'node:crypto'
import { isObject, type Json, type JsonObject } from '../../base/json.ts'
import { TransferError } from '../fetch/fetch-failure.ts'
import { readAll, statusError } from '../fetch/http-answer.ts'
import { type Contents, contentsOf, type Descriptor, INDEXES, MANIFESTS, platformDigest } from '../fetch/manifest.ts'
import type { Answer, Network } from '../fetch/network.ts'
import type { Reference } from '../fetch/reference.ts'
import { type Persistence, persist } from '../fetch/retry.ts'
import { authorized } from './authorize.ts'
import type { Endpoint } from './registry-endpoints.ts'
import type { FindCredentials } from './registry-logins.ts'

export interface Manifest extends Contents {
  readonly bytes: Uint8Array
  readonly digest: string
  /** What the tag stands for, which is the digest of an index where there is one. */
  readonly source: string
  /** That index. */
  readonly index?: Uint8Array
  readonly mediaType: string
}

export interface Repository {
  /** The manifest of the image for an architecture. Throws a FetchError or a KubestepError. */
  readonly manifest: (arch: string) => Promise<Manifest>
  /** The digest of what the tag stands for now. Throws a FetchError or a KubestepError. */
  readonly source: () => Promise<string>
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
    source: async () => (await fetchManifest(digest ?? tag ?? 'latest')).digest,
    manifest: async arch => {
      const top = await fetchManifest(digest ?? tag ?? 'latest')
      const isIndex = INDEXES.includes(top.mediaType)
      const inner = isIndex ? await fetchManifest(platformDigest(top.json, arch, reference)) : top
      const { bytes, mediaType, json } = inner
      const contents = contentsOf(mediaType, json, reference)
      const index = isIndex ? { index: top.bytes } : {}
      return { ...contents, ...index, bytes, digest: inner.digest, mediaType, source: top.digest }
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
