/**
 * Undoing what the journal holds: one function per kind of change. Each can be run again, and none touches what
 * was there before.
 */
import { existsSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { run } from '../command.ts'
import { reasonOf } from '../errors.ts'
import { removeFiles, writeFiles } from '../files.ts'
import { podProcesses, removePodCgroups } from '../host/cgroups.ts'
import { removeLinks } from '../host/links.ts'
import { mountsBelow, readMountinfo } from '../host/mounts.ts'
import { kill, processesWith } from '../host/processes.ts'
import { liveHost } from '../host/source.ts'
import { writeSysctl } from '../host/sysctl.ts'
import type { Change } from '../journal.ts'
import { LAYOUT } from '../layout.ts'
import { removeRules } from '../network/firewall.ts'
import { removeLeftovers } from '../network/leftovers.ts'
import type { PreparedChange } from '../prepare/change.ts'
import { undoChange } from '../prepare/step.ts'
import { openRuntime } from '../runtime/runtime.ts'
import { removeSandboxes } from '../runtime/sandboxes.ts'
import { shimSockets } from '../runtime/shims.ts'
import type { ServiceManager } from '../service/service.ts'
import { removePodSlices } from '../service/slices.ts'

type Of<Kind extends Change['kind']> = Extract<Change, { readonly kind: Kind }>

export interface UndoContext {
  readonly services: ServiceManager
}

/** What undoes each kind; throws an error with the reason when it cannot. */
export const UNDO: { readonly [Kind in Change['kind']]: (change: Of<Kind>, context: UndoContext) => Promise<void> } = {
  service: async ({ name }, { services }) => services.remove(name),
  runtime: async ({ socket, ours, sandboxes }, { services }) => {
    const path = socket.replace(/^unix:\/\//, '')
    // Looked for before and after: a shim that is cut off while it starts may have a folder only now, or only then.
    const shims = ours ? shimSockets(LAYOUT.containerd.state, path) : []
    // An import goes on when the init that began it was killed.
    if (ours) await kill(processesWith(['--address', path]))
    try {
      const { cri } = await openRuntime(socket, ours)
      try {
        await removeSandboxes(cri, sandboxes)
      } finally {
        cri.close()
      }
    } catch (error) {
      // A runtime of our own that is dead leaves its shims behind; somebody else's has to be up.
      if (!ours) throw error
    }
    // What a dead runtime of ours left running: the containers and the shims that hold them.
    if (ours) {
      // The shims last: they reap their containers, and PID 1 may take its time.
      await kill(podProcesses())
      await kill(processesWith(['-address', path]))
      removeFiles('/', [...shims, ...shimSockets(LAYOUT.containerd.state, path)])
    }
    await removePodCgroups()
    if (services.kind === 'systemd') await removePodSlices()
  },
  init: async () => {},
  mount: async ({ path }) => unmountBelow(path),
  network: async ({ links, chains, others }) => {
    await removeLinks(links)
    await removeRules(chains)
    await removeLeftovers(others ?? [])
  },
  tree: async ({ path }) => {
    await unmountBelow(path)
    for (const name of namesIn(path)) rmSync(join(path, name), { recursive: true, force: true })
    // Whoever holds the lock takes its folder away with it.
    if (dirname(LAYOUT.lock) !== path) rmSync(path, { recursive: true, force: true })
  },
  empty: async ({ path }) => {
    if (!existsSync(path) || readdirSync(path).length > 0) return
    await unmountBelow(path)
    rmSync(path, { recursive: true })
  },
  contents: async ({ path, before, only = '' }) => {
    const ours = new RegExp(only)
    for (const name of namesIn(path).filter(other => ours.test(other) && !before.includes(other))) {
      await unmountBelow(join(path, name))
      rmSync(join(path, name), { recursive: true, force: true })
    }
  },
  file: async ({ path, before, mode }) => {
    if (before === null) rmSync(path, { force: true })
    else writeFiles('/', [{ path, mode, content: Buffer.from(before, 'base64') }])
  },
  sysctl: async ({ key, before }) => writeSysctl(key, before),
  module: async ({ name }) => {
    await run(['modprobe', '-r', name])
  },
  written: undoPrepared,
  lines: undoPrepared,
  link: undoPrepared,
  setting: undoPrepared,
  packages: undoPrepared,
}

async function undoPrepared(change: PreparedChange): Promise<void> {
  await undoChange(change, liveHost())
}

/** Undoes one change; gives the reason when that fails. */
export async function undo(change: Change, context: UndoContext): Promise<string | undefined> {
  try {
    await (UNDO[change.kind] as (change: Change, context: UndoContext) => Promise<void>)(change, context)
    return undefined
  } catch (error) {
    return reasonOf(error)
  }
}

/** What an undo goes by until it is over: after a kill in between the next try does too, and nobody else begins meanwhile. */
const LAST: readonly string[] = [LAYOUT.journal, LAYOUT.lock]

function namesIn(path: string): string[] {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return []
  return readdirSync(path).filter(name => !LAST.includes(join(path, name)))
}

async function unmountBelow(path: string): Promise<void> {
  // The kernel names mounts by their real paths.
  const folder = existsSync(path) ? realpathSync(path) : path
  for (const point of mountsBelow(readMountinfo(), [folder])) {
    if ((await run(['umount', point])).exitCode !== 0) await run(['umount', '--lazy', point])
  }
  const [left] = mountsBelow(readMountinfo(), [folder])
  if (left !== undefined) throw new Error(`"${left}" cannot be unmounted; unmount it and reset again`)
}
