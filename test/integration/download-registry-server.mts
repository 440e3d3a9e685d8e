/** A registry on 127.0.0.1 for the tests: manifests and blobs, with tokens and redirects as the real ones have them. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { tarEnd, tarHeader, tarPadding } from '../../lib/supply/fetch/tar.ts'
import { type Fault, serve, sha256, status } from './download-server.mts'

export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json'
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
export const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json'
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'

export interface Stored {
  readonly type: string
  readonly content: Buffer
}

/** Paths below /v2/, e.g. `pause/manifests/3.10.2`, `pause/blobs/sha256:...`. */
export type Contents = Map<string, Stored>

export interface Registry {
  /** `127.0.0.1:port` */
  readonly host: string
  readonly requests: readonly string[]
  readonly fail: (path: string, ...faults: readonly Fault[]) => void
  readonly close: () => Promise<void>
}

export interface RegistryOptions {
  /** Wants a token, and gives it to anybody. */
  readonly token?: string
  /** `host:port` of the storage that it sends to for blobs. */
  readonly storage?: string
  /** Takes no request with a token, as storage with signed addresses does. */
  readonly isStorage?: boolean
  /** Who may pull, and how it is asked: at once, for a token, or with an identity token for a token. */
  readonly login?: { readonly user: string; readonly secret: string; readonly how: 'basic' | 'token' | 'identity' }
  /** PEM; then it speaks TLS. */
  readonly tls?: { readonly key: string; readonly cert: string }
}

export async function openRegistry(contents: Contents, options: RegistryOptions = {}): Promise<Registry> {
  const requests: string[] = []
  const faults = new Map<string, Fault[]>()
  const { login } = options
  const token = login === undefined || login.how === 'basic' ? options.token : 'for a login'
  const basic = `Basic ${Buffer.from(`${login?.user}:${login?.secret}`).toString('base64')}`
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '', `${options.tls === undefined ? 'http' : 'https'}://${request.headers.host}`)
    requests.push(`${url.pathname}${url.search}`)
    if (url.pathname === '/token') {
      const form = new URLSearchParams(request.method === 'POST' ? await bodyOf(request) : '')
      const identified = form.get('grant_type') === 'refresh_token' && form.get('refresh_token') === login?.secret
      const known = login?.how === 'identity' ? identified : request.headers.authorization === basic
      if (login !== undefined && !known) return status(401)(request, response, Buffer.alloc(0))
      const scope = url.searchParams.get('scope') ?? form.get('scope')
      json(response, login?.how === 'identity' ? { access_token: `${token} ${scope}` } : { token: `${token} ${scope}` })
      return
    }
    const path = url.pathname.replace(/^\/v2\//, '')
    const repository = path.replace(/\/(?:manifests|blobs)\/.*$/, '')
    const scope = `repository:${repository}:pull`
    const { authorization } = request.headers
    if (options.isStorage && authorization !== undefined) return status(400)(request, response, Buffer.alloc(0))
    if (login?.how === 'basic' && authorization !== basic) {
      return status(401, { 'www-authenticate': 'Basic realm="tests"' })(request, response, Buffer.alloc(0))
    }
    if (token !== undefined && authorization !== `Bearer ${token} ${scope}`) {
      const challenge = `Bearer realm="${url.origin}/token",service="tests",scope="${scope}"`
      return status(401, { 'www-authenticate': challenge })(request, response, Buffer.alloc(0))
    }
    const stored = contents.get(path)
    const fault = faults.get(path)?.shift()
    if (fault !== undefined) return fault(request, response, stored?.content ?? Buffer.alloc(0))
    if (stored === undefined) return status(404)(request, response, Buffer.alloc(0))
    if (options.storage !== undefined && path.includes('/blobs/')) {
      const location = `http://${options.storage}/v2/${path}?signature=secret`
      return status(307, { location })(request, response, Buffer.alloc(0))
    }
    response.setHeader('content-type', stored.type)
    serve(request, response, stored.content)
  }
  const server = options.tls === undefined ? createServer(answer) : createTlsServer(options.tls, answer)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    fail: (path, ...list) => faults.set(path, [...(faults.get(path) ?? []), ...list]),
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

export interface Layered {
  readonly arch: string
  readonly layers: readonly Buffer[]
  readonly config?: object
}

/** Puts an image into a registry's contents, for each architecture one, under one tag; gives the layers' digests. */
export function addImage(
  contents: Contents,
  repository: string,
  tag: string,
  images: readonly Layered[],
  types: { index?: string; manifest: string } = { index: OCI_INDEX, manifest: OCI_MANIFEST },
): void {
  const blob = (content: Buffer, type: string): object => {
    const digest = `sha256:${sha256(content)}`
    contents.set(`${repository}/blobs/${digest}`, { type: 'application/octet-stream', content })
    return { mediaType: type, digest, size: content.length }
  }
  const manifests = images.map(({ arch, layers, config }) => {
    const rootfs = { type: 'layers', diff_ids: layers.map(layer => `sha256:${sha256(layer)}`) }
    const configuration = Buffer.from(JSON.stringify({ os: 'linux', architecture: arch, rootfs, ...config }))
    const manifest = {
      schemaVersion: 2,
      mediaType: types.manifest,
      config: blob(configuration, 'application/vnd.oci.image.config.v1+json'),
      layers: layers.map(layer => blob(gzipSync(layer), 'application/vnd.oci.image.layer.v1.tar+gzip')),
    }
    const content = Buffer.from(JSON.stringify(manifest))
    return { arch, content, digest: `sha256:${sha256(content)}` }
  })
  for (const { digest, content } of manifests) {
    contents.set(`${repository}/manifests/${digest}`, { type: types.manifest, content })
  }
  const [only] = manifests
  if (types.index === undefined && only !== undefined) {
    contents.set(`${repository}/manifests/${tag}`, { type: types.manifest, content: only.content })
    return
  }
  const attestation = {
    mediaType: types.manifest,
    digest: `sha256:${'0'.repeat(64)}`,
    size: 1,
    platform: { os: 'unknown', architecture: 'unknown' },
  }
  const index = {
    schemaVersion: 2,
    mediaType: types.index,
    manifests: [
      attestation,
      ...manifests.map(({ arch, content, digest }) => ({
        mediaType: types.manifest,
        digest,
        size: content.length,
        platform: { os: 'linux', architecture: arch },
      })),
    ],
  }
  const content = Buffer.from(JSON.stringify(index))
  for (const name of [tag, `sha256:${sha256(content)}`]) {
    contents.set(`${repository}/manifests/${name}`, { type: types.index ?? '', content })
  }
}

/** A layer with one file. */
export function layer(name: string, content: Buffer, mode = 0o644): Buffer {
  return Buffer.concat([tarHeader(name, content.length, mode), content, tarPadding(content.length), tarEnd()])
}
