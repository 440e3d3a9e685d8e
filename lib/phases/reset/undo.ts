/**
 * Undoing what the journal holds: one function per kind of change. Each can be run again, and none touches what
 * was there before.
 */
import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { LAYOUT } from '../../base/paths.ts'
import { $ } from '../../machine/command.ts'
import { writeFiles } from '../../machine/files.ts'
import { liveHost } from '../../machine/host/host-source.ts'
import { loadedModules } from '../../machine/host/kernel-modules.ts'
import { removeLinks } from '../../machine/host/network-links.ts'
import { namespacesInUse } from '../../machine/host/network-namespaces.ts'
import { readSysctl, writeSysctl } from '../../machine/host/sysctl.ts'
import type { PreparedChange } from '../../machine/host-change.ts'
import type { Change } from '../../machine/journal.ts'
import { removeGroups } from '../../machine/local-node/local-groups.ts'
import { localNodes } from '../../machine/local-node/local-node.ts'
import { removeNodeLinks } from '../../machine/local-node/node-network.ts'
import { removeRules } from '../../machine/network/firewall-chains.ts'
import { removePodRoutes } from '../../machine/network/pod-routes.ts'
import { removeLeftovers } from '../../machine/network/proxy-leftovers.ts'
import type { ServiceManager } from '../../machine/service/service.ts'
import { removePodSlices } from '../../machine/service/slices.ts'
import { forgetImageName } from '../../supply/runtime/image-names.ts'
import { readRemains } from '../../supply/runtime/runtime-remains.ts'
import { undoChange } from '../prepare/prepare-step.ts'
import { subjectOf } from './change-subject.ts'
import { removableNames, removePath, unmountBelow } from './remove.ts'
import { undoRuntime } from './undo-runtime.ts'
import { type Stay, stayOf } from './what-stays.ts'

type Of<Kind extends Change['kind']> = Extract<Change, { readonly kind: Kind }>

export interface UndoContext {
  readonly services: ServiceManager
}

/** What came of an undo: what stays though it should go, and a line on what stays on purpose. */
export interface Undone {
  readonly stays?: readonly Stay[]
  readonly note?: string
}

type Undo<Kind extends Change['kind']> = (change: Of<Kind>, context: UndoContext) => Promise<Undone | undefined>

/** What undoes each kind; throws an error with the reason when it cannot. */
export const UNDO: { readonly [Kind in Change['kind']]: Undo<Kind> } = {
  service: async ({ name }, { services }) => {
    await services.remove(name)
    return undefined
  },
  runtime: async (change, { services }) => {
    const stays = await undoRuntime(change)
    if (services.kind === 'systemd') await removePodSlices(change.groups?.slices)
    return { stays }
  },
  image: async ({ socket, name, of }) => {
    await forgetImageName(socket, name, of)
    return undefined
  },
  init: async () => undefined,
  mount: async ({ path }) => ({ stays: await unmountBelow(path) }),
  nodes: async ({ path }) => {
    const groups = await Promise.all(localNodes().map(({ name }) => removeGroups(name)))
    const left = [...groups.flat(), ...(await removeNodeLinks())]
    const stay = { reason: 'something uses it', advice: 'end that' }
    return { stays: [...left.map(subject => ({ subject, ...stay })), ...(await unmountBelow(path))] }
  },
  network: async ({ links, chains, others }) => {
    // The addresses of Services tell whose virtual servers are, so those go before the interface.
    const sets = await removeLeftovers(others ?? [], ['server'])
    const interfaces = await removeLinks(links)
    await removePodRoutes()
    const rules = await removeRules(chains, readRemains(LAYOUT.containerd).ids)
    const rest = await removeLeftovers(others ?? [])
    const subjects = new Set([...sets, ...interfaces, ...rules, ...rest])
    const stay = { reason: 'something uses it', advice: 'end that' }
    return { stays: [...subjects].map(subject => ({ subject, ...stay })) }
  },
  tree: async ({ path }) => {
    if (dirname(LAYOUT.lock) !== path && dirname(LAYOUT.journal) !== path) return { stays: await removePath(path) }
    const stays = await removeNames(path, removableNames(path))
    // Whoever holds the lock takes its folder away with it, and the journal goes with the last of what it holds.
    if (dirname(LAYOUT.journal) === path && stays.length === 0) rmSync(path, { recursive: true, force: true })
    return { stays }
  },
  empty: async ({ path }) => {
    if (!existsSync(path) || readdirSync(path).length > 0) return undefined
    const stays = await unmountBelow(path)
    if (stays.length === 0) rmdirSync(path)
    return { stays }
  },
  contents: async ({ path, before, only = '', idle }) => {
    const ours = new RegExp(only)
    const names = removableNames(path).filter(name => ours.test(name) && !before.includes(name))
    const inUse = idle && names.length > 0 ? namespacesInUse(path) : []
    return {
      stays: await removeNames(
        path,
        names.filter(name => !inUse.includes(name)),
      ),
    }
  },
  file: async ({ path, before, mode }) => {
    if (before === null) rmSync(path, { force: true })
    else writeFiles('/', [{ path, mode, content: Buffer.from(before, 'base64') }])
    return undefined
  },
  sysctl: async ({ key, before }) => {
    const present = readSysctl(key)
    // A key goes with its module.
    if (present !== undefined && present !== before) writeSysctl(key, before)
    return undefined
  },
  module: async ({ name }) => {
    await $({ nothrow: true })`modprobe -r ${name}`
    if (!loadedModules(liveHost().read('/proc/modules') ?? '').includes(name)) return undefined
    return { note: `kernel module ${name} stays loaded: something uses it; it is gone after the next boot` }
  },
  written: undoPrepared,
  lines: undoPrepared,
  link: undoPrepared,
  setting: undoPrepared,
  packages: undoPrepared,
}

async function undoPrepared(change: PreparedChange): Promise<Undone> {
  const note = await undoChange(change, liveHost())
  return note === undefined ? {} : { note }
}

async function removeNames(path: string, names: readonly string[]): Promise<readonly Stay[]> {
  const stays: Stay[] = []
  for (const name of names) stays.push(...(await removePath(join(path, name))))
  return stays
}

/** Undoes one change, as far as it goes. Does not throw. */
export async function undo(change: Change, context: UndoContext): Promise<Undone> {
  try {
    const work = UNDO[change.kind] as (change: Change, context: UndoContext) => Promise<Undone | undefined>
    return (await work(change, context)) ?? {}
  } catch (error) {
    return { stays: [stayOf(subjectOf(change), error)] }
  }
}
