/**
 * The cache service of GitHub as far as @actions/cache asks it (its second version), and the store behind it, on this
 * machine. Written after what the client sends.
 */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface CacheService {
  /** What the runner would put into a job's environment. */
  readonly environment: Readonly<Record<string, string>>
  /** Keys that have an entry. */
  readonly keys: () => readonly string[]
  readonly close: () => void
}

const PREFIX = '/twirp/github.actions.results.api.v1.CacheService/'

/** Starts one on a free port; `broken` answers everything with an error. */
export async function startCacheService(broken = false): Promise<CacheService> {
  const blobs = new Map<string, Buffer>()
  const blocks = new Map<string, Buffer>()
  const ready = new Set<string>()
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost')
    const body = await bodyOf(request).catch(() => undefined)
    // Who sends is out of time.
    if (body === undefined) return
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/blob/`
    const answer = (status: number, content: string | Buffer, headers: Record<string, string> = {}): void => {
      response.writeHead(status, { 'content-length': String(content.length), ...headers })
      response.end(request.method === 'HEAD' ? undefined : content)
    }
    const json = (value: unknown): void => answer(200, JSON.stringify(value), { 'content-type': 'application/json' })
    if (broken) return answer(403, '{"code":"permission_denied","msg":"no"}', { 'content-type': 'application/json' })
    if (pathname.startsWith(PREFIX)) {
      const { key, version } = JSON.parse(body.toString()) as { readonly key: string; readonly version: string }
      const id = `${key}@${version}`
      const url = `${base}${encodeURIComponent(id)}?sig=x`
      const method = pathname.slice(PREFIX.length)
      if (method === 'CreateCacheEntry') return json({ ok: !ready.has(id), signed_upload_url: url })
      if (method === 'FinalizeCacheEntryUpload') {
        ready.add(id)
        return json({ ok: true, entry_id: '1' })
      }
      return json(ready.has(id) ? { ok: true, signed_download_url: url, matched_key: key } : { ok: false })
    }
    const id = decodeURIComponent(pathname.slice('/blob/'.length))
    if (request.method === 'PUT') {
      const part = searchParams.get('comp')
      // What is large comes in blocks, and then the list of them.
      if (part === 'block') blocks.set(`${id} ${searchParams.get('blockid')}`, body)
      else if (part === 'blocklist') {
        const names = [...body.toString().matchAll(/<Latest>([^<]+)<\/Latest>/g)].map(
          ([, name = '']) => `${id} ${name}`,
        )
        blobs.set(id, Buffer.concat(names.map(name => blocks.get(name) ?? Buffer.alloc(0))))
        for (const name of names) blocks.delete(name)
      } else blobs.set(id, body)
      return answer(201, '')
    }
    const blob = blobs.get(id) ?? Buffer.alloc(0)
    const [, from = '0', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(String(request.headers['x-ms-range'] ?? '')) ?? []
    const part = blob.subarray(Number(from), to === '' ? undefined : Number(to) + 1)
    return answer(to === '' ? 200 : 206, request.method === 'HEAD' ? blob : part, {
      'content-range': `bytes ${from}-${Number(from) + part.length - 1}/${blob.length}`,
      etag: '"1"',
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    environment: {
      ACTIONS_CACHE_SERVICE_V2: 'true',
      ACTIONS_RESULTS_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
      ACTIONS_RUNTIME_TOKEN: 'not-a-token-of-anything',
      GITHUB_REPOSITORY: 'example/example',
    },
    keys: () => [...ready].map(id => id.slice(0, id.lastIndexOf('@'))),
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
