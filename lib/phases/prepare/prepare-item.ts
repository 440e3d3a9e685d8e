/** What an item of prepare is, and what it finds on a host. */
import { dirname } from 'node:path'
import type { InitConfig } from '../../base/kubeadm.ts'
import type { HostSource } from '../../machine/host/host-source.ts'
import type { Kernel } from '../../machine/host/kernel-features.ts'
import type { PreparedChange } from '../../machine/host-change.ts'
import { SETTINGS, type SettingName } from '../../machine/running-settings.ts'

export interface PrepareContext {
  readonly host: HostSource
  /** Whether it is the running machine, and not the files of another one below a folder. */
  readonly live: boolean
  readonly kernel: Kernel
  /** The configuration of the cluster that is to come. */
  readonly config: InitConfig
  /** What the options say. */
  readonly hostName?: string
  readonly timeZone?: string
  readonly install: boolean
}

export interface Finding {
  readonly changes: readonly PreparedChange[]
  /** What is so, or will not work, in words. */
  readonly notes?: readonly string[]
  /** What was asked for and cannot be; `cannot <verb> <thing>: <reason>; <what to do>`. */
  readonly faults?: readonly string[]
}

/** One row: `prepare NAME`. */
export interface Item {
  readonly name: string
  readonly about: string
  readonly reads: readonly string[]
  readonly changes: string
  readonly undo: string
  /** `asked`: whether the item was named, and not only `all` of them. */
  readonly find: (context: PrepareContext, asked: boolean) => Promise<Finding>
}

/** Stands in a configuration for the address of a machine that has none yet; of the ranges for documentation. */
export const NO_ADDRESS = { ipv4: '192.0.2.1', ipv6: '2001:db8::1' } as const

/** Nothing to do. */
export const NOTHING: Finding = { changes: [] }

/** A file of ours that is to hold this text; none when it does. */
export function fileChange(host: HostSource, path: string, after: string, mode = 0o644): PreparedChange[] {
  const before = host.read(path) ?? null
  const folder = host.kind(dirname(path)) === undefined
  return before === after ? [] : [{ kind: 'written', path, before, after, mode, folder }]
}

/** Lines to be replaced in a file that is there, or to be added to it. */
export function linesChange(
  host: HostSource,
  path: string,
  edits: readonly { readonly before: string | null; readonly after: string }[],
): PreparedChange[] {
  const text = host.read(path) ?? ''
  const isUnended = text !== '' && !text.endsWith('\n')
  return edits.length === 0 ? [] : [{ kind: 'lines', path, edits, ...(isUnended && { unended: true }) }]
}

/** A value to be set; none when it is so, or when the machine does not have it. */
export async function settingChange(
  host: HostSource,
  setting: SettingName,
  subject: string,
  after: string,
): Promise<PreparedChange[]> {
  const before = await SETTINGS[setting].read(subject, host)
  return before === undefined || before === after ? [] : [{ kind: 'setting', setting, subject, before, after }]
}
