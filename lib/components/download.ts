/** Fetches files: resumed where that works, checked, and at their place whole or not at all. */
import { chmodSync, renameSync } from 'node:fs'
import { KubestepError } from '../errors.ts'
import { fetchText } from './answer.ts'
import { readChecksum } from './checksum.ts'
import { FetchError, TransferError } from './failure.ts'
import type { Trust } from './fulcio.ts'
import type { Answer, HeadersFor, Network } from './network.ts'
import { openPart, type Part } from './part.ts'
import type { OnProgress, Proof } from './progress.ts'
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
  /** Who has to have signed it, where a signature is beside it. */
  readonly signer?: Trust
  readonly size?: number
  readonly headers?: HeadersFor
}

/**
 * Fetches one file. What a failed or killed run has brought is gone on with.
 * Throws a FetchError that says what each source had to say, or a KubestepError for the disk.
 */
export async function download(wanted: Download, network: Network, onProgress: OnProgress): Promise<void> {
  const { name, urls, file } = wanted
  if (!network.offline) onProgress({ kind: 'start', name, host: new URL(urls[0] ?? '').host })
  const checksum = wanted.checksum ?? (await fetchChecksum(wanted, network, onProgress))
  let signed = false
  await makeRoom(file)
  const part = await openPart(claimPart(file, checksum))
  try {
    const there = part.checksum() === checksum
    const from = there ? urls : [await fill(part, checksum, wanted, network, onProgress)]
    if (wanted.signer !== undefined)
      signed = await checkSignature(part, from, wanted.signer, wanted, network, onProgress)
  } finally {
    await part.close()
  }
  await writing(file, () => {
    chmodSync(part.path, wanted.mode)
    renameSync(part.path, file)
  })
  await keepChecksum(file, checksum)
  const proof: Proof[] = [wanted.checksum === undefined ? 'checksum' : 'lock']
  if (signed) proof.push('signature')
  onProgress({ kind: 'done', name, bytes: part.bytes(), proof })
}

/** Whether it is signed. Throws a KubestepError when it is, and wrongly; then nothing of it is kept. */
async function checkSignature(
  part: Part,
  urls: readonly string[],
  trust: Trust,
  { name, checksum }: Download,
  network: Network,
  onProgress: OnProgress,
): Promise<boolean> {
  const { readCertificateText, readSignature, signatureFault } = await import('./signature.ts')
  // Where there is none some servers have a web page instead: no reason to ask again and again.
  const impatient = { ...network, limits: { ...network.limits, tries: 2 } }
  const beside = (kind: string, ending: string, read: (text: string) => string | undefined): Promise<string> =>
    fetchText({ subject: `the ${kind} of ${name}`, urls: urls.map(url => `${url}${ending}`) }, impatient, {
      read,
      kind,
    })
  let fault: string | undefined
  try {
    const signature = await beside('signature', '.sig', readSignature)
    const certificate = await beside('certificate', '.cert', readCertificateText)
    fault = await signatureFault(part.path, { signature, certificate }, trust)
  } catch (error) {
    if (!(error instanceof FetchError)) throw error
    // Mirrors seldom have them. Then the checksum has to do, and is said to; the lock needs no help.
    if (checksum === undefined) {
      onProgress({ kind: 'notice', text: `${name} has no signature beside it: only its checksum vouches for it` })
    }
    return false
  }
  if (fault === undefined) return true
  part.reset()
  throw new KubestepError(`components: cannot accept ${name}: ${fault}; use another source, and tell its owner`)
}

/** Brings the part to its checksum; gives the address that had the last of it. */
async function fill(
  part: Part,
  checksum: string,
  wanted: Download,
  network: Network,
  onProgress: OnProgress,
): Promise<string> {
  const { name, urls, headers } = wanted
  let total = wanted.size
  let mismatches = 0
  return persist(
    { subject: name, urls, received: part.bytes, onRetry: retryOf(name, onProgress) },
    network,
    async url => {
      const source = { url, ...(headers !== undefined && { headers }), ...(total !== undefined && { total }) }
      const answer = await transfer(source, part, network, (received, whole) => {
        total = whole
        onProgress({ kind: 'bytes', name, received, ...(whole !== undefined && { total: whole }) })
      })
      const got = part.checksum()
      if (got === checksum) return url
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
