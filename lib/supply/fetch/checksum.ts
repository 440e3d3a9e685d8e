/** SHA-256 checksums: of files, and as download sites publish them. Always 64 lower case hex digits. */
import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'

/**
 * The checksum in a `.sha256` file: alone (dl.k8s.io), or followed by a file name (sha256sum); undefined when the
 * text is something else, e.g. the web page of a proxy.
 */
export function readChecksum(text: string): string | undefined {
  return /^\s*([0-9a-f]{64})(?:\s|$)/i.exec(text)?.[1]?.toLowerCase()
}

/** Feeds a file to a hash; undefined when the file cannot be read. */
export async function hashFile(file: string): Promise<Hash | undefined> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) hash.update(chunk as Uint8Array)
  } catch {
    return undefined
  }
  return hash
}

/** The checksum of a file; undefined when it cannot be read. */
export async function checksumOf(file: string): Promise<string | undefined> {
  return (await hashFile(file))?.digest('hex')
}
