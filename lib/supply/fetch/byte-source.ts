/** Bytes for tar archives to be read from: a file, by seeking; or a stream, e.g. of what gzip unpacks. */
import type { FileHandle } from 'node:fs/promises'
import type { ByteSource } from './tar.ts'

/** Reads an open file from its beginning. */
export function fileSource(file: FileHandle): ByteSource {
  let position = 0
  const read = async (length: number): Promise<Uint8Array> => {
    // Filled, or cut to what was.
    const bytes = Buffer.allocUnsafe(length)
    let filled = 0
    while (filled < length) {
      const { bytesRead } = await file.read(bytes, filled, length - filled, position)
      if (bytesRead === 0) break
      filled += bytesRead
      position += bytesRead
    }
    return bytes.subarray(0, filled)
  }
  return {
    read,
    some: read,
    skip: async length => {
      position += length
    },
  }
}

const SKIPPED_BYTES = 1024 * 1024

/** Reads a stream to its end. */
export function streamSource(stream: AsyncIterable<Uint8Array>): ByteSource {
  const iterator = stream[Symbol.asyncIterator]()
  let waiting: Uint8Array = new Uint8Array()
  const some = async (most: number): Promise<Uint8Array> => {
    while (waiting.length === 0) {
      const { done, value } = await iterator.next()
      if (done) break
      waiting = value
    }
    const part = waiting.subarray(0, most)
    waiting = waiting.subarray(part.length)
    return part
  }
  const read = async (length: number): Promise<Uint8Array> => {
    const parts: Uint8Array[] = []
    let missing = length
    while (missing > 0) {
      const part = await some(missing)
      if (part.length === 0) break
      missing -= part.length
      parts.push(part)
    }
    return parts.length === 1 ? (parts[0] ?? waiting) : Buffer.concat(parts)
  }
  return {
    read,
    some,
    skip: async length => {
      // In pieces: what an archive says of its sizes is no reason to hold as much in memory.
      for (let left = length; left > 0; ) {
        const { length: skipped } = await read(Math.min(left, SKIPPED_BYTES))
        if (skipped === 0) return
        left -= skipped
      }
    },
  }
}
