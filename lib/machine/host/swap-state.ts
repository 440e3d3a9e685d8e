/** Swap of a machine: what is on now, and what turns it on at boot. Pure parsing. */

import type { HostSource } from './host-source.ts'
import { unescapeOctal } from './mounts.ts'

/** A swap area in use. */
export interface SwapArea {
  /** E.g. `/swapfile` or `/dev/zram0`. */
  readonly path: string
  /** As swapon takes it; negative when the kernel chose it. */
  readonly priority: number
}

/** Areas in /proc/swaps. Source: proc(5). */
export function swapAreas(text: string): SwapArea[] {
  return text
    .trim()
    .split('\n')
    .slice(1)
    .map(line => line.trim().split(/\s+/))
    .filter(fields => fields.length >= 5)
    .map(fields => ({ path: unescapeOctal(fields[0] ?? ''), priority: Number(fields[4]) }))
}

/** Lines of an fstab that turn swap on at boot. Source: fstab(5): the third field is the type. */
export function fstabSwapLines(text: string): string[] {
  return text.split('\n').filter(line => {
    const [spec = '', , type, options = ''] = line.trim().split(/\s+/)
    return !spec.startsWith('#') && type === 'swap' && !options.split(',').includes('noauto')
  })
}

/** Services of distributions that make swap by other ways than fstab and swap units. Source: Debian zram-tools and dphys-swapfile, Ubuntu zram-config. */
const SWAP_SERVICES: readonly string[] = ['zramswap.service', 'zram-config.service', 'dphys-swapfile.service']

/** Folders of units that people and packages write. */
const UNIT_FOLDERS: readonly string[] = ['/etc/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system']

/** Folders of units that generators write at boot: for zram, and for partitions of the type swap. */
const GENERATED: readonly string[] = ['/run/systemd/generator', '/run/systemd/generator.late']

export interface SwapUnits {
  /** Units with a file of their own; disabling keeps them off. */
  readonly written: readonly string[]
  /** Units that are made at each boot; only masking keeps them off. Those of fstab go with its lines. */
  readonly generated: readonly string[]
}

/** Units of systemd that turn swap on. */
export function swapUnits(host: HostSource): SwapUnits {
  const isSwap = (name: string): boolean => name.endsWith('.swap')
  const names = UNIT_FOLDERS.flatMap(folder =>
    (host.list(folder) ?? []).filter(
      name => (isSwap(name) || SWAP_SERVICES.includes(name)) && host.link(`${folder}/${name}`) === undefined,
    ),
  )
  const generated = GENERATED.flatMap(folder =>
    (host.list(folder) ?? []).filter(
      name => isSwap(name) && !(host.read(`${folder}/${name}`) ?? '').includes('SourcePath=/etc/fstab'),
    ),
  )
  const masked = generated.filter(name => host.link(`/etc/systemd/system/${name}`) === '/dev/null')
  return {
    written: [...new Set(names)],
    generated: [...new Set(generated)].filter(name => !masked.includes(name)),
  }
}
