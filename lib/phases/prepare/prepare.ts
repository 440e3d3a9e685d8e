/** Preparing a host: find, show, record, make; and take it all back. */

import { KubestepError, reasonOf, UsageError } from '../../base/errors.ts'
import { nearest } from '../../base/nearest.ts'
import { LAYOUT } from '../../base/paths.ts'
import { $ } from '../../machine/command.ts'
import { below } from '../../machine/files.ts'
import type { HostSource } from '../../machine/host/host-source.ts'
import type { PreparedChange } from '../../machine/host-change.ts'
import { openJournal } from '../../machine/journal.ts'
import { ALL, ITEMS } from './items.ts'
import type { Item, PrepareContext } from './prepare-item.ts'
import { madeChange, makeChange, showChange, undoChange } from './prepare-step.ts'

export interface Plan {
  readonly item: Item
  readonly changes: readonly PreparedChange[]
  readonly notes: readonly string[]
  readonly faults: readonly string[]
}

export type Say = (line: string) => void

/** Items by their names, in the table's order; everything when `all` is among them or nothing is named. Throws a UsageError for unknown names. */
export function chosenItems(names: readonly string[]): readonly { readonly item: Item; readonly asked: boolean }[] {
  const known = ITEMS.map(({ name }) => name)
  const unknown = names.filter(name => name !== ALL && !known.includes(name))
  if (unknown.length > 0) {
    throw new UsageError(
      unknown
        .map(name => {
          const hint = nearest(name, known)
          return `prepare: cannot prepare ${JSON.stringify(name)}: there is no such item; ${hint === undefined ? `use ${ALL} or some of ${known.join(', ')}` : `did you mean ${JSON.stringify(hint)}?`}`
        })
        .join('\n'),
    )
  }
  const isAll = names.length === 0 || names.includes(ALL)
  return ITEMS.filter(({ name }) => isAll || names.includes(name)).map(item => ({
    item,
    asked: names.includes(item.name),
  }))
}

/** What the items would change, each from the host as it is now. */
export async function planItems(items: ReturnType<typeof chosenItems>, context: PrepareContext): Promise<Plan[]> {
  return Promise.all(
    items.map(async ({ item, asked }) => {
      const { changes, notes = [], faults = [] } = await item.find(context, asked)
      return { item, changes, notes, faults }
    }),
  )
}

/** Says what would change; gives whether anything would. */
export function showPlans(plans: readonly Plan[], host: HostSource, say: Say): boolean {
  for (const { item, changes, notes } of plans) {
    for (const note of notes) say(`[prepare] ${item.name}: ${note}`)
    if (changes.length === 0) continue
    say(`[prepare] ${item.name} would change:`)
    for (const change of changes) for (const line of showChange(change, host)) say(line)
  }
  return plans.some(({ changes }) => changes.length > 0)
}

/** All faults of the plans, one per line, with the name of the phase. */
export function faultsOf(plans: readonly Plan[]): string[] {
  return plans.flatMap(({ faults }) => faults.map(fault => `prepare: ${fault}`))
}

/**
 * Makes the changes; each is in the record before it is made. One that fails does not keep the others from being
 * made. Throws a KubestepError with a line for each failure and fault.
 */
export async function makePlans(plans: readonly Plan[], host: HostSource, say: Say): Promise<number> {
  const record = openJournal(below(host.root, LAYOUT.prepared))
  const failures = faultsOf(plans)
  let made = 0
  for (const { item, changes, notes } of plans) {
    for (const note of notes) say(`[prepare] ${item.name}: ${note}`)
    for (const change of changes) {
      // Installing notes itself, with what has to be there before.
      if (change.kind !== 'packages') record.record(change)
      try {
        await makeChange(change, host, record.record)
        say(`[prepare] ${item.name}: ${madeChange(change, host)}`)
        made++
      } catch (error) {
        failures.push(reasonOf(error))
      }
    }
    await settle(changes, host)
  }
  if (failures.length > 0) throw new KubestepError(failures.join('\n'))
  return made
}

export interface Undone {
  readonly count: number
  /** What could not be taken back, and the error. */
  readonly failed: readonly { readonly change: PreparedChange; readonly error: unknown }[]
}

/** Takes back everything that is in the record, newest first; what fails stays in it. */
export async function undoPreparation(host: HostSource, say: Say): Promise<Undone> {
  const record = openJournal(below(host.root, LAYOUT.prepared))
  const changes = record.changes().filter(isPrepared)
  const failed: { change: PreparedChange; error: unknown }[] = []
  for (const change of [...changes].reverse()) {
    try {
      const kept = await undoChange(change, host)
      if (kept !== undefined) say(`[prepare] ${kept}`)
    } catch (error) {
      failed.push({ change, error })
    }
  }
  await settle(changes, host)
  record.keep(changes.filter(change => failed.some(other => other.change === change)))
  return { count: changes.length, failed }
}

/** What is in the record, oldest first. */
export function preparedChanges(host: HostSource): readonly PreparedChange[] {
  return openJournal(below(host.root, LAYOUT.prepared)).changes().filter(isPrepared)
}

function isPrepared(change: { readonly kind: string }): change is PreparedChange {
  return ['written', 'lines', 'link', 'setting', 'packages'].includes(change.kind)
}

/** systemd reads fstab and its units when it is told to; a file that took another's place needs SELinux's label anew. */
async function settle(changes: readonly PreparedChange[], host: HostSource): Promise<void> {
  if (host.root !== '/') return
  const paths = changes.flatMap(change => ('path' in change ? [change.path] : []))
  const isUnit = paths.some(path => /^\/etc\/(fstab$|systemd\/)/.test(path))
  if (isUnit && host.kind('/run/systemd/system') !== undefined) await $({ nothrow: true })`systemctl daemon-reload`
  const there = paths.filter(path => host.kind(path) !== undefined)
  if (there.length > 0 && host.kind('/sys/fs/selinux/enforce') !== undefined)
    await $({ nothrow: true })`restorecon ${there}`
}
