/**
 * The part of @azure/storage-blob that @actions/cache calls, in its place in the bundle: uploads a file to an address
 * that is signed already. The library itself is two thirds of such a bundle (450 KB).
 * Source: Azure's REST interface of block blobs: Put Blob, Put Block, Put Block List.
 */
import { createReadStream, statSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { HttpClient } from '@actions/http-client'

export interface UploadOptions {
  /** Bytes of a block. */
  readonly blockSize?: number
  /** Blocks at the same time. */
  readonly concurrency?: number
  /** A file up to that size goes in one request. */
  readonly maxSingleShotSize?: number
  readonly onProgress?: (progress: { readonly loadedBytes: number }) => void
}

interface Uploader {
  readonly uploadFile: (path: string, options?: UploadOptions) => Promise<{ readonly _response: { status: number } }>
}

const MIB = 1024 * 1024
const TRIES = 3
const API_VERSION = '2020-10-02'

/** Called with `new`, as a class of that name would be. */
export function BlobClient(url: string): { readonly getBlockBlobClient: () => Uploader } {
  return { getBlockBlobClient: () => ({ uploadFile: (path, options = {}) => upload(url, path, options) }) }
}

/** Without a length the caller fetches by itself, in one stream. */
export function BlockBlobClient(_url: string): { readonly getProperties: () => Promise<{ contentLength?: number }> } {
  return { getProperties: async () => ({}) }
}

async function upload(url: string, path: string, options: UploadOptions): ReturnType<Uploader['uploadFile']> {
  const { onProgress, blockSize = 64 * MIB, concurrency = 4, maxSingleShotSize = 128 * MIB } = options
  const client = new HttpClient('kubestep')
  const { size } = statSync(path)
  let loadedBytes = 0
  const put = async (address: string, body: () => NodeJS.ReadableStream | string, bytes: number, kind = {}) => {
    await withTries(() =>
      client.request('PUT', address, body() as string, {
        'content-length': String(bytes),
        'x-ms-version': API_VERSION,
        ...kind,
      }),
    )
    loadedBytes = Math.min(size, loadedBytes + bytes)
    onProgress?.({ loadedBytes })
  }
  if (size <= maxSingleShotSize) {
    await put(url, () => createReadStream(path), size, { 'x-ms-blob-type': 'BlockBlob' })
    return { _response: { status: 201 } }
  }
  // Names of equal length, as the interface wants them.
  const blocks = Array.from({ length: Math.ceil(size / blockSize) }, (_, index) => ({
    name: Buffer.from(String(index).padStart(6, '0')).toString('base64'),
    start: index * blockSize,
    end: Math.min(size, (index + 1) * blockSize) - 1,
  }))
  const waiting = [...blocks]
  const worker = async (): Promise<void> => {
    for (let block = waiting.shift(); block !== undefined; block = waiting.shift()) {
      const { name, start, end } = block
      const address = `${url}&comp=block&blockid=${encodeURIComponent(name)}`
      await put(address, () => createReadStream(path, { start, end }), end - start + 1)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  const list = `<?xml version="1.0" encoding="utf-8"?><BlockList>${blocks.map(({ name }) => `<Latest>${name}</Latest>`).join('')}</BlockList>`
  await put(`${url}&comp=blocklist`, () => list, Buffer.byteLength(list))
  return { _response: { status: 201 } }
}

/** Throws an Error when the store does not take it at any try. */
async function withTries(work: () => Promise<{ readonly message: IncomingMessage }>): Promise<void> {
  let last = new Error('not tried')
  for (let tries = 0; tries < TRIES; tries++) {
    try {
      const { message } = await work()
      message.resume()
      if ((message.statusCode ?? 0) < 300) return
      last = new Error(`the store answers ${message.statusCode}`)
    } catch (error) {
      last = error instanceof Error ? error : new Error(String(error))
    }
  }
  throw last
}
