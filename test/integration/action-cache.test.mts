/** The upload that stands in for Azure's storage library, against a store of our own. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { BlobClient, type UploadOptions } from '../../lib/action/blob-store.ts'

interface Store {
  readonly url: string
  /** What was put together; undefined as long as there is nothing. */
  readonly content: () => Buffer | undefined
  readonly requests: () => readonly string[]
  readonly close: () => void
}

/** A block blob. The first `failures` requests are refused. */
async function startStore(failures: number): Promise<Store> {
  const blocks = new Map<string, Buffer>()
  const requests: string[] = []
  let content: Buffer | undefined
  let left = failures
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const { searchParams } = new URL(request.url ?? '', 'http://localhost')
    const what = searchParams.get('comp') ?? request.headers['x-ms-blob-type'] ?? 'nothing'
    requests.push(`${request.method} ${what} ${searchParams.get('sig')}`)
    if (left-- > 0) return void response.writeHead(503).end()
    if (what === 'block') blocks.set(searchParams.get('blockid') ?? '', body)
    else if (what === 'blocklist') {
      const names = [...body.toString().matchAll(/<Latest>([^<]+)<\/Latest>/g)].map(([, name = '']) => name)
      content = Buffer.concat(names.map(name => blocks.get(name) ?? Buffer.from('missing')))
    } else content = body
    response.writeHead(201).end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/c/blob?sig=signed`,
    content: () => content,
    requests: () => requests,
    close: () => server.close(),
  }
}

const rows: readonly (readonly [
  what: string,
  bytes: number,
  options: UploadOptions,
  failures: number,
  requests: number,
])[] = [
  ['a small file in one request', 1000, {}, 0, 1],
  ['an empty file', 0, {}, 0, 1],
  ['a bigger one in blocks', 2500, { blockSize: 1000, concurrency: 2, maxSingleShotSize: 1000 }, 0, 4],
  ['again when the store is busy', 2500, { blockSize: 1000, concurrency: 1, maxSingleShotSize: 1000 }, 2, 6],
]

for (const [what, bytes, options, failures, requests] of rows) {
  test(`uploadFile() sends ${what}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kubestep blob '))
    const store = await startStore(failures)
    try {
      const data = randomBytes(bytes)
      writeFileSync(join(folder, 'file'), data)
      const seen: number[] = []
      const uploader = BlobClient(store.url).getBlockBlobClient()
      const { _response } = await uploader.uploadFile(join(folder, 'file'), {
        ...options,
        onProgress: ({ loadedBytes }) => seen.push(loadedBytes),
      })
      assert.equal(_response.status, 201)
      assert.deepEqual(store.content(), data)
      assert.equal(store.requests().length, requests, store.requests().join('\n'))
      assert.ok(store.requests().every(request => request.startsWith('PUT ') && request.endsWith(' signed')))
      assert.equal(seen.at(-1), bytes)
    } finally {
      store.close()
      rmSync(folder, { recursive: true })
    }
  })
}

test('uploadFile() says when the store does not take it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kubestep blob '))
  const store = await startStore(100)
  try {
    writeFileSync(join(folder, 'file'), 'x')
    await assert.rejects(
      BlobClient(store.url).getBlockBlobClient().uploadFile(join(folder, 'file')),
      /the store answers 503/,
    )
  } finally {
    store.close()
    rmSync(folder, { recursive: true })
  }
})
