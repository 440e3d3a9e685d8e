/** Whether a file is a program that this machine can run, by its first bytes: known before anything is started. */
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import { ARCHITECTURES } from '../../base/platform.ts'
import { explain } from '../../machine/files.ts'

/** `e_machine` of what Kubernetes is not published for, but is mistaken for what it is. Source: elf(5). */
const OTHER_MACHINES: Readonly<Record<number, string>> = { 3: '386', 40: 'arm', 243: 'riscv64', 258: 'loong64' }

/** What else lies about under the name of a program. */
const OTHER_FILES: readonly (readonly [beginning: string, what: string])[] = [
  ['\xcf\xfa\xed\xfe', 'it is a program for macOS'],
  ['\xca\xfe\xba\xbe', 'it is a program for macOS'],
  ['MZ', 'it is a program for Windows'],
  ['\x1f\x8b', 'it is packed with gzip'],
  ['<', 'it is a web page'],
  ['version https://git-lfs', 'it is a pointer of Git LFS'],
]

/** Room for an ELF header and some program headers; an interpreter's path of a script is shorter, too. */
const HEAD_BYTES = 4096

/** Why this machine cannot run a file, with what to do; undefined when it can, as far as can be told. */
export function programFault(path: string, arch: string): string | undefined {
  const head = Buffer.alloc(HEAD_BYTES)
  let length = 0
  let size = 0
  try {
    const file = openSync(path, 'r')
    length = readSync(file, head, 0, head.length, 0)
    size = fstatSync(file).size
    closeSync(file)
  } catch (error) {
    return `${path} cannot be read: ${explain(error)}`
  }
  if (length === 0) return `${path} is empty: put the real one there`
  const text = head.toString('latin1', 0, length)
  if (text.startsWith('#!')) {
    const [interpreter = ''] = text.slice(2).trim().split(/\s/)
    return existsSync(interpreter)
      ? undefined
      : `${path} is a script for "${interpreter}", which is not on this machine`
  }
  if (!text.startsWith('\x7fELF')) {
    const what = OTHER_FILES.find(([beginning]) => text.startsWith(beginning))?.[1] ?? 'it has no ELF header'
    return `${path} is not a program of this machine (${what}): fetch or make it again for linux/${arch}`
  }
  return elfFault(path, head, size, arch)
}

function elfFault(path: string, head: Buffer, size: number, arch: string): string | undefined {
  // Byte 5 tells the byte order. Source: elf(5), as the offsets below.
  const big = head[5] === 2
  const u16 = (at: number): number => (big ? head.readUInt16BE(at) : head.readUInt16LE(at))
  const machine = u16(18)
  const is = ARCHITECTURES.find(({ elf }) => elf === machine)?.go ?? OTHER_MACHINES[machine] ?? `machine ${machine}`
  if (is !== arch) return `${path} is for ${is}: put the one for ${arch} there`
  // Kubernetes' architectures are all of 64 bits.
  const u64 = (at: number): number => Number(big ? head.readBigUInt64BE(at) : head.readBigUInt64LE(at))
  const u32 = (at: number): number => (big ? head.readUInt32BE(at) : head.readUInt32LE(at))
  const [table, entry, count] = [u64(32), u16(54), u16(56)]
  const rows = Array.from({ length: count }, (_, index) => table + index * entry).filter(at => at + 56 <= HEAD_BYTES)
  const segments = rows.map(at => ({ type: u32(at), offset: u64(at + 8), bytes: u64(at + 32) }))
  const end = Math.max(0, ...segments.map(({ offset, bytes }) => offset + bytes))
  if (end > size) return `${path} is cut short (${size} of at least ${end} bytes): fetch or make it again`
  const loader = segments.find(({ type }) => type === PT_INTERP)
  if (loader === undefined || loader.offset + loader.bytes > HEAD_BYTES) return undefined
  const name = head.toString('latin1', loader.offset, loader.offset + loader.bytes).replace(/\0.*$/s, '')
  if (existsSync(name)) return undefined
  return `${path} needs "${name}", which is not on this machine (it was built for another C library): put a static one there`
}

const PT_INTERP = 3
