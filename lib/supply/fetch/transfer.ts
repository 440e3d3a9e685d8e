/** One try to bring a file, or the rest of it. */

import { TransferError } from './fetch-failure.ts'
import { statusError } from './http-answer.ts'
import type { Answer, HeadersFor, Network } from './network.ts'
import type { Part } from './partial-file.ts'
import { checkSpace } from './space.ts'

/** Answers to a range that mean: ask for the whole file. */
const RANGE_REFUSED: readonly number[] = [400, 412, 416, 501]

export interface Source {
  readonly url: string
  readonly headers?: HeadersFor
  /** Size of the whole file, when it is known. */
  readonly total?: number
  /** Size that somebody who is believed has told: another one is refused. */
  readonly size?: number
}

/**
 * Appends to the part what is missing; begins anew when the server cannot go on where it ended. Gives the last answer.
 * Throws a TransferError; what came until then stays in the part.
 */
export async function transfer(
  source: Source,
  part: Part,
  network: Network,
  onBytes: (received: number, total: number | undefined) => void,
): Promise<Answer> {
  const from = part.bytes()
  // The end is named where it is known: some registries refuse an open range (anchore/stereoscope#695).
  const range = `bytes=${from}-${source.total === undefined ? '' : source.total - 1}`
  const answer = await network.get(source.url, url => ({ ...source.headers?.(url), ...(from > 0 && { range }) }))
  const start = startOf(answer)
  if (start !== from && start !== 0) {
    answer.discard()
    if (from === 0 || (start === undefined && !RANGE_REFUSED.includes(answer.status))) throw statusError(answer)
    part.reset()
    return transfer(source, part, network, onBytes)
  }
  if (start === 0 && from > 0) part.reset()
  const length = answer.header('content-length')
  const total = length === undefined ? source.total : start + Number(length)
  const most = source.size ?? network.limits.fileBytes
  if (total !== undefined && source.size === undefined && total > most) {
    throw wrongSize(answer, `it has ${total} bytes, and ${most} are the most`, false)
  }
  // A proxy's page in its place, mostly.
  if (total !== undefined && source.size !== undefined && total !== most) {
    throw wrongSize(answer, `it has ${total} bytes and has to have ${most}`, true)
  }
  // Asked before the first byte, so that a full disk is not found out by filling it.
  if (total !== undefined) checkSpace(part.path, total - part.bytes())
  onBytes(part.bytes(), total)
  for await (const chunk of answer.body) {
    if (part.bytes() + chunk.length > (total ?? most)) {
      // What came is not the file, and what comes may have no end.
      part.reset()
      throw wrongSize(answer, `it sends more than ${total ?? most} bytes`, true)
    }
    await part.write(chunk)
    onBytes(part.bytes(), total)
  }
  if (total !== undefined && part.bytes() !== total) {
    throw new TransferError(answer.url.host, `only ${part.bytes()} of ${total} bytes`, { again: true, reached: true })
  }
  return answer
}

/** Gives up an answer. */
function wrongSize(answer: Answer, reason: string, again: boolean): TransferError {
  answer.discard()
  const { host, origin, pathname } = answer.url
  return new TransferError(host, `${reason} for ${origin}${pathname}`, { again, reached: true })
}

/** The byte that an answer begins with; undefined when it has none of the file. Source: RFC 9110 14.4. */
function startOf(answer: Answer): number | undefined {
  if (answer.status === 200) return 0
  if (answer.status !== 206) return undefined
  const start = /^bytes (\d+)-/.exec(answer.header('content-range') ?? '')?.[1]
  return start === undefined ? undefined : Number(start)
}
