/**
 * etcd's data before an upgrade of etcd: a snapshot while it runs, for whatever may come, and the folder itself as it is
 * once etcd has stopped, to be put back when the new one does not come up. kubeadm's copy of a running one is put beside
 * the folder, not in its place (phases/upgrade/staticpods.go, v1.36).
 */
import { constants, cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { KubestepError } from '../../base/errors.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { LAYOUT } from '../../base/paths.ts'
import { etcdCredentials } from '../../cluster/etcd/etcd-credentials.ts'
import { reachEtcd } from '../../cluster/etcd/gateway.ts'
import { snapshotOf } from '../../cluster/etcd/snapshot.ts'
import { etcdLoopbackUrl } from '../../kubeadm/manifests/etcd-endpoints.ts'
import { explain } from '../../machine/files.ts'
import { writePieces } from '../../machine/streamed-file.ts'

const SNAPSHOTS = `${LAYOUT.upgrade}/snapshots`
const COPY = `${LAYOUT.upgrade}/etcd/member`

/** How many snapshots stay. */
const KEPT = 2

/** Takes a snapshot of this node's etcd, or of an external one; older ones go. Gives its path. Throws an EtcdError, and a KubestepError. */
export async function saveSnapshot(
  config: InitConfig,
  read: (path: string) => string | undefined,
  now: Date,
): Promise<string> {
  const { external } = config.cluster.etcd
  const endpoints = external?.endpoints ?? [etcdLoopbackUrl(config)]
  const client = await reachEtcd(endpoints, etcdCredentials(config.cluster, read))
  const path = `${SNAPSHOTS}/etcd-${now.toISOString().slice(0, 19).replaceAll(':', '-')}.db`
  try {
    mkdirSync(SNAPSHOTS, { recursive: true, mode: 0o700 })
    await writePieces(path, 0o600, snapshotOf(client))
  } finally {
    client.close()
  }
  const old = readdirSync(SNAPSHOTS).sort().slice(0, -KEPT)
  for (const name of old) rmSync(join(SNAPSHOTS, name), { force: true })
  return path
}

/** Copies the data of an etcd that has stopped; one that is whole already stays. Throws a KubestepError. */
export function copyData(dataDir: string): void {
  if (existsSync(COPY)) return
  copyWhole(join(dataDir, 'member'), COPY)
}

/** Puts the data back in their place, where there is a copy. etcd must not run. Throws a KubestepError. */
export function restoreData(dataDir: string): boolean {
  if (!existsSync(COPY)) return false
  const place = join(dataDir, 'member')
  const aside = join(dataDir, '.member-of-the-upgrade')
  rmSync(aside, { recursive: true, force: true })
  if (existsSync(place)) renameSync(place, aside)
  copyWhole(COPY, place)
  rmSync(aside, { recursive: true, force: true })
  return true
}

function copyWhole(from: string, to: string): void {
  const partial = `${to}.partial`
  try {
    rmSync(partial, { recursive: true, force: true })
    mkdirSync(dirname(to), { recursive: true, mode: 0o700 })
    cpSync(from, partial, { recursive: true, preserveTimestamps: true, mode: constants.COPYFILE_FICLONE })
    renameSync(partial, to)
  } catch (error) {
    rmSync(partial, { recursive: true, force: true })
    throw new KubestepError(`upgrade: cannot copy "${from}" to "${to}": ${explain(error)}`, { cause: error })
  }
}
