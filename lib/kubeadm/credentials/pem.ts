/** PEM blocks, written as Go's encoding/pem does and read as leniently. */

export interface PemBlock {
  /** What stands between BEGIN and the dashes, e.g. `CERTIFICATE`. */
  readonly label: string
  readonly bytes: Uint8Array
}

/** One block: lines of 64 characters, a newline at the end. */
export function formatPem(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}

const BLOCK = /-----BEGIN ([^\n]*?)-----[ \t]*\r?\n([\s\S]*?)-----END \1-----/g
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

/**
 * All blocks of a text, in order; what stands between them is skipped, and so are blocks with headers
 * (encrypted keys have them). Throws a RangeError that says what is wrong when there is none, or one is damaged.
 */
export function parsePem(text: string): PemBlock[] {
  const blocks: PemBlock[] = []
  for (const [, label = '', body = ''] of text.matchAll(BLOCK)) {
    if (body.includes(':')) continue
    const base64 = body.replace(/\s+/g, '')
    if (!BASE64.test(base64) || base64.length % 4 !== 0) throw new RangeError(`its ${label} block is not valid base64`)
    blocks.push({ label, bytes: Buffer.from(base64, 'base64') })
  }
  if (blocks.length > 0) return blocks
  if (text.trim() === '') throw new RangeError('it is empty')
  throw new RangeError(
    text.includes('-----BEGIN ') ? 'its PEM block is cut off or has headers' : 'it holds no PEM block',
  )
}
