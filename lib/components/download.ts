/** Fetches files: resumed where that works, checked, and at their place whole or not at all. */
import { chmodSync, renameSync } from 'node:fs'
import { fetchText } from './answer.ts'
import { readChecksum } from './checksum.ts'
import { TransferError } from './failure.ts'
import type { Answer, HeadersFor, Network } from './network.ts'
import { openPart, type Part } from './part.ts'
import type { OnProgress } from './progress.ts'
import { persist } from './retry.ts'
import { claimPart, keepChecksum, makeRoom, writing } from './store.ts'
import { transfer } from './transfer.ts'

export interface Download {
  /** For progress and messages, e.g. `kubelet v1.36.2`. */
  readonly name: string
  /** Addresses of the same file, first choice first. */
  readonly urls: readonly string[]
  /** Where it goes; the checksum is kept beside it. */
  readonly file: string
  readonly mode: number
  /** SHA-256 in hex; without it that at `<url>.sha256` counts. */
  readonly checksum?: string
  readonly size?: number
  readonly headers?: HeadersFor
}

/**
 * Fetches one file. What a failed or killed run has brought is gone on with.
 * Throws a FetchError that says what each source had to say, or a KubestepError for the disk.
 */
export async function download(wanted: Download, network: Network, onProgress: OnProgress): Promise<void> {
  const { name, urls, file } = wanted
  onProgress({ kind: 'start', name, host: new URL(urls[0] ?? '').host })
  const checksum = wanted.checksum ?? (await fetchChecksum(wanted, network, onProgress))
  await makeRoom(file)
  const part = await openPart(claimPart(file, checksum))
  try {
    if (part.checksum() !== checksum) await fill(part, checksum, wanted, network, onProgress)
  } finally {
    await part.close()
  }
  await writing(file, () => {
    chmodSync(part.path, wanted.mode)
    renameSync(part.path, file)
  })
  await keepChecksum(file, checksum)
  onProgress({ kind: 'done', name, bytes: part.bytes() })
}

/** Brings the part to its checksum. */
async function fill(
  part: Part,
  checksum: string,
  wanted: Download,
  network: Network,
  onProgress: OnProgress,
): Promise<void> {
  const { name, urls, headers } = wanted
  let total = wanted.size
  let mismatches = 0
  await persist(
    { subject: name, urls, received: part.bytes, onRetry: retryOf(name, onProgress) },
    network,
    async url => {
      const source = { url, ...(headers !== undefined && { headers }), ...(total !== undefined && { total }) }
      const answer = await transfer(source, part, network, (received, whole) => {
        total = whole
        onProgress({ kind: 'bytes', name, received, ...(whole !== undefined && { total: whole }) })
      })
      const got = part.checksum()
      if (got === checksum) return
      part.reset()
      total = wanted.size
      mismatches++
      throw mismatch(answer, checksum, got, mismatches < network.limits.mismatches)
    },
  )
}

function mismatch(answer: Answer, checksum: string, got: string, again: boolean): TransferError {
  const page = /^text\/html/.test(answer.header('content-type') ?? '') ? 'it is a web page, perhaps of a proxy; ' : ''
  const reason = `${page}SHA-256 is ${got} and has to be ${checksum} for ${answer.url.origin}${answer.url.pathname}`
  return new TransferError(answer.url.host, reason, { again, reached: true })
}

function fetchChecksum({ name, urls, headers }: Download, network: Network, onProgress: OnProgress): Promise<string> {
  const what = {
    subject: name,
    urls: urls.map(url => `${url}.sha256`),
    onRetry: retryOf(name, onProgress),
  }
  return fetchText(what, network, {
    ...(headers !== undefined && { headers }),
    read: readChecksum,
    kind: 'SHA-256 checksum',
  })
}

function retryOf(name: string, onProgress: OnProgress): (reason: string, pauseMs: number) => void {
  return (reason, pauseMs) => onProgress({ kind: 'retry', name, reason, pauseMs })
}
