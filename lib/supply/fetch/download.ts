/** Fetches files: resumed where that works, checked, and at their place whole or not at all. */
import { chmodSync, renameSync } from 'node:fs'
import { KubestepError } from '../../base/errors.ts'
import { claimPart, keepRecord, makeRoom, recordFault, writing } from './cache-store.ts'
import { checksumOf, readChecksum } from './checksum.ts'
import { FetchError, TransferError } from './fetch-failure.ts'
import type { OnProgress, Proof } from './fetch-progress.ts'
import type { Trust } from './fulcio.ts'
import { fetchText } from './http-answer.ts'
import type { Answer, HeadersFor, Network } from './network.ts'
import { openPart, type Part } from './partial-file.ts'
import { persist } from './retry.ts'
import { transfer } from './transfer.ts'

export interface Download {
  /** For progress and messages, e.g. `kubelet v1.36.2`. */
  readonly name: string
  /** Addresses of the same file, first choice first. */
  readonly urls: readonly string[]
  /** Where it goes; a record of its checksum is kept beside it. */
  readonly file: string
  readonly mode: number
  /** SHA-256 in hex; without it that at `<url>.sha256` counts. */
  readonly checksum?: string
  /** Who has to have signed it. */
  readonly signer?: Trust
  /** Whether the addresses are those of a mirror: only there a signature may be missing. */
  readonly isMirrored?: boolean
  readonly size?: number
  readonly headers?: HeadersFor
}

/**
 * Makes sure of one file. What lies at its place counts when it is, by its content, what the lock says, or else what its
 * source says now. Where nobody can be asked, the record of an earlier run counts, in a store that is nobody else's.
 * Throws a FetchError that says what each source had to say, or a KubestepError.
 */
export async function obtain(wanted: Download, network: Network, onProgress: OnProgress): Promise<void> {
  const { name, file } = wanted
  const there = await checksumOf(file)
  if (there === undefined) return download(wanted, network, onProgress)
  if (wanted.checksum !== undefined) {
    if (there !== wanted.checksum) return download(wanted, network, onProgress)
    onProgress({ kind: 'cached', name })
    return
  }
  const doubt = recordFault(file, there)
  if (network.offline) {
    if (doubt !== undefined) throw unvouched(name, doubt)
  } else {
    try {
      return await download(wanted, network, onProgress, there)
    } catch (error) {
      if (!(error instanceof FetchError) || doubt !== undefined) throw error
      onProgress({
        kind: 'notice',
        text: `${name} is taken from the cache as it was recorded: nobody answers for it now`,
      })
    }
  }
  onProgress({ kind: 'cached', name })
}

/** What can be said for something in a cache when neither the lock nor its source nor a record of our own has a word for it. */
export function unvouched(name: string, doubt: string): KubestepError {
  return new KubestepError(
    `components: cannot use ${name} from the cache: with --offline nobody can be asked what it has to be, it is not in the lock, and its record does not count (${doubt}); lock it (--lock FILE, made by scripts/lock.mts), or run once without --offline`,
  )
}

/** Fetches one file, unless that of the checksum `there` is the right one. What an earlier run has begun is gone on with. */
export async function download(
  wanted: Download,
  network: Network,
  onProgress: OnProgress,
  there?: string,
): Promise<void> {
  const { name, urls, file } = wanted
  // Where a record may do in its place, the answer is not worth every patience.
  const asking = there === undefined ? network : impatient(network)
  if (!network.offline && there === undefined) onProgress({ kind: 'start', name, host: new URL(urls[0] ?? '').host })
  const checksum = wanted.checksum ?? (await fetchChecksum(wanted, asking, onProgress))
  const proof: Proof[] = [wanted.checksum === undefined ? 'checksum' : 'lock']
  if (there === checksum) {
    await checkSignature(file, urls, wanted, network, onProgress)
    await keepRecord(file, checksum)
    onProgress({ kind: 'cached', name })
    return
  }
  await makeRoom(file)
  const part = await openPart(claimPart(file, checksum))
  try {
    const from = part.checksum() === checksum ? urls : [await fill(part, checksum, wanted, network, onProgress)]
    if (await checkSignature(part.path, from, wanted, network, onProgress, part.reset)) proof.push('signature')
  } finally {
    await part.close()
  }
  await writing(file, () => {
    chmodSync(part.path, wanted.mode)
    renameSync(part.path, file)
  })
  await keepRecord(file, checksum)
  onProgress({ kind: 'done', name, bytes: part.bytes(), proof })
}

/** Where there is nothing some servers have a web page instead: no reason to ask again and again. */
export function impatient(network: Network): Network {
  return { ...network, limits: { ...network.limits, tries: 2 } }
}

/**
 * Whether it is signed. Throws a KubestepError when it is, and wrongly, or when it is not and has to be; `discard` sees to
 * it that nothing of it is kept.
 */
async function checkSignature(
  path: string,
  urls: readonly string[],
  { name, checksum, signer, isMirrored = false }: Download,
  network: Network,
  onProgress: OnProgress,
  discard: () => void = () => {},
): Promise<boolean> {
  if (signer === undefined) return false
  const { readCertificateText, readSignature, signatureFault } = await import('./signature.ts')
  const beside = (kind: string, ending: string, read: (text: string) => string | undefined): Promise<string> =>
    fetchText({ subject: `the ${kind} of ${name}`, urls: urls.map(url => `${url}${ending}`) }, impatient(network), {
      read,
      kind,
    })
  const refuse = (fault: string, advice: string): KubestepError => {
    discard()
    return new KubestepError(`components: cannot accept ${name}: ${fault}; ${advice}`)
  }
  let fault: string | undefined
  try {
    const signature = await beside('signature', '.sig', readSignature)
    const certificate = await beside('certificate', '.cert', readCertificateText)
    fault = await signatureFault(path, { signature, certificate }, signer)
  } catch (error) {
    if (!(error instanceof FetchError)) throw error
    // The lock needs no help.
    if (checksum !== undefined) return false
    // Whoever signs his files and has lost a signature has lost more.
    if (!isMirrored)
      throw refuse(`it has to be signed: ${reasonsOf(error)}`, 'try again later, or lock it (--lock FILE)')
    // Mirrors seldom have them. Then the checksum has to do, and is said to.
    onProgress({ kind: 'notice', text: `${name} has no signature beside it: only its checksum vouches for it` })
    return false
  }
  if (fault === undefined) return true
  throw refuse(fault, 'use another source, and tell its owner')
}

function reasonsOf({ message }: FetchError): string {
  return message.replace(/^components: /, '')
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
      const source = {
        url,
        ...(headers !== undefined && { headers }),
        ...(total !== undefined && { total }),
        ...(wanted.size !== undefined && { size: wanted.size }),
      }
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
