/**
 * Tar archives, read entry by entry and written by header. Of our own, because packages read a tar only as a stream,
 * and finding the names in an image archive of 100 MB has to be a matter of a few seeks.
 * Source: POSIX pax(1), GNU tar's long names.
 */
import { KubestepError } from '../../base/errors.ts'

export interface TarEntry {
  /** Without `./` before it. */
  readonly name: string
  readonly kind: 'file' | 'folder' | 'other'
  /** In bytes. */
  readonly size: number
  /** What else its headers say; worked out when asked for. */
  readonly attributes: () => TarAttributes
  /** The content; may be left unread, or be read before the next entry is asked for. */
  readonly content: () => AsyncIterable<Uint8Array>
}

/** What an entry is besides its content. */
export interface TarAttributes {
  /** `0` and NUL are files, `1` hard links, `2` symbolic ones, `5` folders. */
  readonly type: string
  /** Permissions, with those for set-user-ID and the like. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** In seconds. */
  readonly modified: number
  readonly linksTo: string
  /** Keys of pax records. */
  readonly records: readonly string[]
}

/** Bytes in order. */
export interface ByteSource {
  /** The next bytes, as many as that unless the end comes first. */
  readonly read: (length: number) => Promise<Uint8Array>
  /** Those of the next that are at hand, at least one unless the end comes first. */
  readonly some: (most: number) => Promise<Uint8Array>
  readonly skip: (length: number) => Promise<void>
}

const BLOCK = 512
const CHUNK = 1024 * 1024

/** Walks an archive; `name` is for messages. Throws a KubestepError when it is damaged or cut short. */
export async function* readTar(source: ByteSource, name: string): AsyncGenerator<TarEntry> {
  const damaged = (reason: string): KubestepError =>
    new KubestepError(`archive: cannot read "${name}": ${reason}; fetch or make it again`)
  const take = async (length: number): Promise<Uint8Array> => {
    const bytes = await source.read(length)
    if (bytes.length < length) throw damaged('it is cut short')
    return bytes
  }
  let extended: Readonly<Record<string, string>> = {}
  for (let entries = 0; ; ) {
    const header = await source.read(BLOCK)
    // Two empty blocks are the end; some writers spare them.
    if ((header.length === 0 && entries > 0) || (header.length === BLOCK && header.every(byte => byte === 0))) return
    if (header.length < BLOCK) throw damaged(header.length === 0 ? 'it is empty' : 'it is cut short')
    if (!hasRightSum(header)) throw damaged('it is not a tar archive, or damaged')
    entries++
    const type = String.fromCharCode(header[156] ?? 0)
    const size = extended.size === undefined ? number(header, 124, 12) : decimal(extended.size)
    if (!Number.isSafeInteger(size) || size < 0) throw damaged('an entry has an impossible size')
    const padding = (BLOCK - (size % BLOCK)) % BLOCK
    if ('xLKg'.includes(type)) {
      if (size > CHUNK) throw damaged('a header is too long')
      const body = text(await take(size), 0, size)
      await source.skip(padding)
      if (type === 'x') extended = { ...extended, ...paxRecords(body) }
      if (type === 'L') extended = { ...extended, path: body }
      if (type === 'K') extended = { ...extended, linkpath: body }
      continue
    }
    let left = size
    const pax = extended
    yield {
      name: (extended.path ?? headerName(header)).replace(/^(?:\.\/+)+/, ''),
      kind: type === '0' || type === '\0' ? 'file' : type === '5' ? 'folder' : 'other',
      size,
      attributes: () => attributesOf(header, type, pax),
      content: async function* () {
        while (left > 0) {
          const bytes = await source.some(Math.min(left, CHUNK))
          if (bytes.length === 0) throw damaged('it is cut short')
          left -= bytes.length
          yield bytes
        }
      },
    }
    extended = {}
    if (left > 0) {
      // The last byte is really read: skipping alone would not notice a missing end.
      await source.skip(left - 1)
      await take(1)
    }
    await source.skip(padding)
  }
}

/**
 * A header for a file of root's, dated 1970, so that the same content makes the same archive.
 * Throws a RangeError for a name that no header has room for.
 */
export function tarHeader(name: string, size: number, mode = 0o644): Uint8Array {
  const block = Buffer.alloc(BLOCK)
  const [prefix, rest] = splitName(name)
  block.write(rest, 0)
  block.write(prefix, 345)
  const octal = (value: number, at: number, length: number): void => {
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1')
  }
  octal(mode, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(size, 124, 12)
  octal(0, 136, 12)
  block.write('        0', 148, 'latin1')
  block.write('ustar\0' + '00', 257, 'latin1')
  block.write(`${sum(block).toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

/** Longer names are cut at a slash: 155 bytes before it, 100 behind. */
function splitName(name: string): readonly [prefix: string, rest: string] {
  const fits = ([prefix, rest]: readonly [string, string]): boolean =>
    Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(rest) <= 100
  const slashes = [...name.matchAll(/\//g)].map(({ index }) => index)
  const ways = [['', name] as const, ...slashes.map(at => [name.slice(0, at), name.slice(at + 1)] as const)]
  const way = ways.find(fits)
  if (way === undefined) throw new RangeError(`tar: no room for a name of ${Buffer.byteLength(name)} bytes: ${name}`)
  return way
}

/** What has to follow `size` bytes of content. */
export function tarPadding(size: number): Uint8Array {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK)
}

/** The end of an archive. */
export function tarEnd(): Uint8Array {
  return Buffer.alloc(2 * BLOCK)
}

function attributesOf(header: Uint8Array, type: string, pax: Readonly<Record<string, string>>): TarAttributes {
  const { uid, gid, mtime, linkpath } = pax
  return {
    type,
    mode: number(header, 100, 8) & 0o7777,
    uid: uid === undefined ? number(header, 108, 8) : decimal(uid),
    gid: gid === undefined ? number(header, 116, 8) : decimal(gid),
    modified: mtime === undefined ? number(header, 136, 12) : Number(mtime),
    linksTo: linkpath ?? text(header, 157, 100),
    records: Object.keys(pax),
  }
}

function headerName(header: Uint8Array): string {
  // GNU's own format has other things there.
  const prefix = text(header, 257, 6) === 'ustar' ? text(header, 345, 155) : ''
  return `${prefix === '' ? '' : `${prefix}/`}${text(header, 0, 100)}`
}

function text(bytes: Uint8Array, at: number, length: number): string {
  const field = bytes.subarray(at, at + length)
  const end = field.indexOf(0)
  return Buffer.from(end === -1 ? field : field.subarray(0, end)).toString()
}

// Octal text; or, for what does not fit, big-endian with the first bit set (GNU).
function number(header: Uint8Array, at: number, length: number): number {
  if (((header[at] ?? 0) & 0x80) === 0) return Number.parseInt(text(header, at, length).trim() || '0', 8)
  return header.subarray(at + 1, at + length).reduce((value, byte) => value * 256 + byte, (header[at] ?? 0) & 0x7f)
}

// Number() would take a sign, an exponent and nothing at all.
function decimal(text: string): number {
  return /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
}

function hasRightSum(header: Uint8Array): boolean {
  const copy = Buffer.from(header)
  copy.fill(' ', 148, 156)
  return number(header, 148, 8) === sum(copy)
}

function sum(block: Uint8Array): number {
  return block.reduce((total, byte) => total + byte, 0)
}

const LONGEST_KEY = 512

// `<length> <key>=<value>\n`, the length in bytes and of the whole record.
function paxRecords(body: string): Record<string, string> {
  const records: Record<string, string> = {}
  let bytes = Buffer.from(body)
  while (bytes.length > 0) {
    const [, length = '', key = ''] = /^(\d+) ([^=]+)=/.exec(bytes.toString('utf8', 0, LONGEST_KEY)) ?? []
    const start = length.length + 1 + Buffer.byteLength(key) + 1
    // A record that does not get on would be read for ever.
    if (key === '' || Number(length) <= start) break
    records[key] = bytes.subarray(start, Number(length) - 1).toString()
    bytes = bytes.subarray(Number(length))
  }
  return records
}
