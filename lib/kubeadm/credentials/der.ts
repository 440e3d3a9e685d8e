/**
 * DER, as much of it as certificates need: a writer of small functions that give bytes, and a reader
 * that gives elements. Of our own: libraries for certificates cost 300 KB and do not write kubeadm's key formats.
 * Source: ITU-T X.690.
 */

/** Tags of the types that occur in certificates. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

/** One element: its content inside the header of tag and length. */
export function element(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(contents)
  return Buffer.concat([Uint8Array.of(tag, ...lengthBytes(content.length)), content])
}

function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length]
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return [0x80 | bytes.length, ...bytes]
}

export function sequence(...contents: readonly Uint8Array[]): Uint8Array {
  return element(TAG.sequence, ...contents)
}

/** A SET OF: DER wants its members sorted by their bytes. */
export function setOf(...members: readonly Uint8Array[]): Uint8Array {
  return element(TAG.set, ...members.toSorted(Buffer.compare))
}

/** A tag of the context: constructed `[number]`, or primitive for implicit strings and octets. */
export function context(
  number: number,
  kind: 'constructed' | 'primitive',
  ...contents: readonly Uint8Array[]
): Uint8Array {
  return element((kind === 'constructed' ? 0xa0 : 0x80) | number, ...contents)
}

/** A non-negative integer from big-endian bytes: leading zeros go, and one comes back when the top bit is set. */
export function integer(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex(byte => byte !== 0)
  const digits = first === -1 ? Uint8Array.of(0) : bytes.subarray(first)
  return element(TAG.integer, ...((digits[0] ?? 0) >= 0x80 ? [Uint8Array.of(0)] : []), digits)
}

export function boolean(value: boolean): Uint8Array {
  return element(TAG.boolean, Uint8Array.of(value ? 0xff : 0))
}

/** `unused` counts the bits at the end of the last byte that do not belong to the string. */
export function bitString(bytes: Uint8Array, unused = 0): Uint8Array {
  return element(TAG.bitString, Uint8Array.of(unused), bytes)
}

export function octetString(bytes: Uint8Array): Uint8Array {
  return element(TAG.octetString, bytes)
}

export function nothing(): Uint8Array {
  return element(TAG.null)
}

/** An object identifier from its dotted form. */
export function oid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return element(TAG.oid, Uint8Array.from([first * 40 + second, ...rest].flatMap(base128)))
}

function base128(value: number): number[] {
  const bytes = [value % 128]
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift(0x80 | (rest % 128))
  return bytes
}

// What Go counts as printable: no asterisk, no ampersand. Source: Go encoding/asn1 isPrintable.
const PRINTABLE = /^[A-Za-z0-9 '()+,./:=?-]*$/

/** A directory string: PrintableString where the text fits, else UTF8String, as Go chooses. */
export function directoryString(text: string): Uint8Array {
  return element(PRINTABLE.test(text) ? TAG.printableString : TAG.utf8String, Buffer.from(text, 'utf8'))
}

/** A point in time, whole seconds in UTC: UTCTime from 1950 to 2049, GeneralizedTime otherwise (RFC 5280 4.1.2.5). */
export function time(date: Date): Uint8Array {
  const year = date.getUTCFullYear()
  const short = year >= 1950 && year < 2050
  const digits = date.toISOString().replace(/\.\d+/, '').replace(/[-:T]/g, '')
  return element(short ? TAG.utcTime : TAG.generalizedTime, Buffer.from(short ? digits.slice(2) : digits, 'latin1'))
}

/** An element that was read: `content` and `bytes` (with its header) are views on what was given. */
export interface Element {
  readonly tag: number
  readonly content: Uint8Array
  readonly bytes: Uint8Array
}

/** The first element of `bytes`. Throws a RangeError when the bytes end early or the length is not DER. */
export function readElement(bytes: Uint8Array): Element {
  const [tag, first] = bytes
  if (tag === undefined || first === undefined) throw new RangeError('it ends in the middle of a DER element')
  const count = first < 0x80 ? 0 : first & 0x7f
  if (count > 4 || first === 0x80) throw new RangeError('it has a DER element of unknown length')
  if (bytes.length < 2 + count) throw new RangeError('it ends in the middle of a DER element')
  const length = count === 0 ? first : bytes.subarray(2, 2 + count).reduce((sum, byte) => sum * 256 + byte, 0)
  const end = 2 + count + length
  if (end > bytes.length) throw new RangeError('it ends in the middle of a DER element')
  return { tag, content: bytes.subarray(2 + count, end), bytes: bytes.subarray(0, end) }
}

/** The elements inside a constructed one. */
export function readElements(content: Uint8Array): Element[] {
  const elements: Element[] = []
  for (let rest = content; rest.length > 0; ) {
    const next = readElement(rest)
    elements.push(next)
    rest = rest.subarray(next.bytes.length)
  }
  return elements
}

/** The dotted form of an object identifier's content. */
export function readOid(content: Uint8Array): string {
  const values: number[] = []
  let value = 0
  for (const byte of content) {
    value = value * 128 + (byte & 0x7f)
    if (byte < 0x80) {
      values.push(value)
      value = 0
    }
  }
  const [head = 0, ...rest] = values
  const first = Math.min(Math.floor(head / 40), 2)
  return [first, head - first * 40, ...rest].join('.')
}

/** The point in time of a UTCTime or GeneralizedTime. Throws a RangeError for anything else. */
export function readTime({ tag, content }: Element): Date {
  const text = Buffer.from(content).toString('latin1')
  const century = tag === TAG.utcTime ? (Number(text.slice(0, 2)) < 50 ? '20' : '19') : ''
  const digits = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(century + text)
  if (digits === null) throw new RangeError(`it holds the date ${JSON.stringify(text)}, which is no DER time`)
  const [, year, month, day, hour, minute, second] = digits.map(Number)
  return new Date(Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second))
}
