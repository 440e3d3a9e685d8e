/** The Pods of a cluster go, from a runtime of our own or from somebody else's. */

import { reasonOf } from '../../base/errors.ts'
import { KUBERNETES, LAYOUT, NODE } from '../../base/paths.ts'
import { which } from '../../machine/command.ts'
import { listFolder, removeFiles } from '../../machine/files.ts'
import { groupRoots, type PodGroups, removePodGroups } from '../../machine/host/cgroups.ts'
import { namespacesInUse } from '../../machine/host/network-namespaces.ts'
import { kill, processesWith } from '../../machine/host/processes.ts'
import type { Change } from '../../machine/journal.ts'
import { openRuntime } from '../../supply/runtime/runtime.ts'
import { readRemains } from '../../supply/runtime/runtime-remains.ts'
import { clusterSandboxes, endSandboxes } from '../../supply/runtime/sandboxes.ts'
import { deadSockets, shimSockets } from '../../supply/runtime/shims.ts'
import { removePath } from './remove.ts'
import { type Stay, stayOf } from './what-stays.ts'

type RuntimeChange = Extract<Change, { readonly kind: 'runtime' }>

/** Where the kubelet has a folder per Pod; the last part of a name is the Pod's id. */
const POD_FOLDERS: readonly string[] = [`${KUBERNETES.kubelet}/pods`, NODE.podLogs]

/** Gives what stays. Can be run again. */
export async function undoRuntime(change: RuntimeChange): Promise<readonly Stay[]> {
  const { socket, ours } = change
  const groups: PodGroups = change.groups ?? { roots: groupRoots({}), before: [] }
  const ids = new Set(podIds())
  if (!ours) {
    const stays = await endTheirs(change, ids, () => removePodGroups(groups, ids))
    await removePodGroups(groups, ids)
    return stays
  }
  const path = socket.replace(/^unix:\/\//, '')
  const { containerd } = LAYOUT
  const remains = readRemains(containerd)
  for (const id of remains.ids) ids.add(id)
  // Looked for before and after: a shim that is cut off while it starts may have a folder only now, or only then.
  const shims = shimSockets(containerd.state, path)
  // An import goes on when the init that began it was killed.
  await kill(processesWith(['--address', path], { program: /^ctr$/, folder: LAYOUT.run }))
  try {
    await endAll(change, ids)
  } catch {
    // A runtime of our own that is dead leaves its shims behind.
  }
  // The shims last: they reap their containers, and PID 1 may take its time.
  await removePodGroups(groups, ids)
  await kill(processesWith(['-address', path], { program: /^containerd-shim/, folder: LAYOUT.run }))
  removeFiles('/', [...shims, ...shimSockets(containerd.state, path), ...(await deadSockets())])
  await removePodGroups(groups, ids)
  await removeNetworks([...remains.ids], remains.namespaces)
  return []
}

/** Somebody else's has to be up for that; where it is not, what lives of our Pods ends all the same. */
async function endTheirs(change: RuntimeChange, ids: Set<string>, endPods: () => Promise<void>): Promise<Stay[]> {
  try {
    try {
      await endAll(change, ids)
    } catch {
      // One that hangs on a container can go on when that is dead.
      await endPods()
      await endAll(change, ids)
    }
    return []
  } catch (error) {
    if (DAEMONS.every(name => which(name) === undefined)) return []
    const { subject, reason } = stayOf(change.socket, error)
    const advice = /cannot connect/.test(reasonOf(error)) ? 'start that runtime' : 'see to that runtime'
    return [{ subject, reason: reason.replace(/ of "[^"]*"/, ''), advice }]
  }
}

/** Programs of runtimes: without any of them nothing is left of one. */
export const DAEMONS: readonly string[] = ['containerd', 'crio', 'dockerd', 'cri-dockerd']

async function endAll({ socket, ours, sandboxes }: RuntimeChange, ids: Set<string>): Promise<void> {
  const { cri } = await openRuntime(socket, ours)
  try {
    const found = await clusterSandboxes(cri, { kept: sandboxes, all: ours })
    for (const { id, podUid, containers } of found) for (const name of [id, podUid, ...containers]) ids.add(name)
    await endSandboxes(
      cri,
      found.map(({ id }) => id),
    )
  } finally {
    cri.close()
  }
}

function podIds(): string[] {
  return POD_FOLDERS.flatMap(path => listFolder('/', path) ?? []).map(name => name.split('_').at(-1) ?? name)
}

/** Namespaces, and what CNI remembers of each container: a runtime that is alive takes them away itself. */
async function removeNetworks(ids: readonly string[], namespaces: readonly string[]): Promise<void> {
  const inUse =
    namespaces.length > 0 && listFolder('/', NODE.namespaces) !== undefined ? namespacesInUse(NODE.namespaces) : []
  for (const path of namespaces) if (!inUse.some(name => path === `${NODE.namespaces}/${name}`)) await removePath(path)
  const results = listFolder('/', NODE.cniResults) ?? []
  const ours = results.filter(name => ids.some(id => name.includes(`-${id}-`)))
  removeFiles(
    '/',
    ours.map(name => `${NODE.cniResults}/${name}`),
  )
}
