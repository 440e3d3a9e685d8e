/** etcd's own program that makes a data folder of a snapshot: nothing else can. It is `etcdutl`, or `etcdctl` until 3.5. */
import { rmSync } from 'node:fs'
import { KubestepError } from '../../base/errors.ts'
import { $, which } from '../../machine/command.ts'
import { openCri } from '../../supply/cri/cri-client.ts'
import { filesOfImage } from '../../supply/runtime/image-files.ts'
import type { RestoredMember } from './restored-member.ts'

export interface SnapshotTool {
  readonly program: string
  /** Whether it can have revisions go on where no watcher has been yet (etcd 3.6). */
  readonly raisesRevision: boolean
}

const PROGRAMS = ['etcdutl', 'etcdctl'] as const

/** Where images of etcd have them. Source: etcd Dockerfile, kubernetes cluster/images/etcd/Dockerfile (v3.4 to v3.6). */
const IN_IMAGES = PROGRAMS.map(name => `/usr/local/bin/${name}`)

/**
 * The one that is named; else that of the image that etcd runs from, which is of its version; else one on the PATH.
 * Throws a KubestepError where none can do it.
 */
export async function findTool(named: string | undefined, socket: string, image: string): Promise<SnapshotTool> {
  if (named !== undefined) {
    const tool = await toolAt(named)
    if (tool !== undefined) return tool
    throw new KubestepError(
      `etcd: cannot use --etcdutl "${named}": it cannot restore a snapshot; name an etcdutl, or an etcdctl of etcd 3.5 or earlier`,
    )
  }
  for (const program of [...(await inImage(socket, image)), ...PROGRAMS.flatMap(name => which(name) ?? [])]) {
    const tool = await toolAt(program)
    if (tool !== undefined) return tool
  }
  throw new KubestepError(
    `etcd: cannot restore a snapshot: there is no etcdutl in the image "${image}" nor on the PATH; take it from a release of etcd, and name it with --etcdutl`,
  )
}

async function inImage(socket: string, image: string): Promise<string[]> {
  try {
    const cri = await openCri(socket)
    try {
      return await filesOfImage(cri, image, IN_IMAGES)
    } finally {
      cri.close()
    }
  } catch {
    // A runtime that does not answer, or is no containerd: there may be one on the PATH.
    return []
  }
}

async function toolAt(program: string): Promise<SnapshotTool | undefined> {
  const { exitCode, stdout } = await $({ nothrow: true, env: ENV })`${program} snapshot restore --help`
  if (exitCode !== 0 || !stdout.includes('--initial-advertise-peer-urls')) return undefined
  return { program, raisesRevision: stdout.includes('--bump-revision') }
}

/** etcdctl took version 2 for meant until 3.3. */
const ENV = { ETCDCTL_API: '3' }

/**
 * More than a cluster writes between a snapshot and its loss. Whoever watches then hears that what he knew is gone and
 * reads all anew; otherwise he would see nothing until the numbers came round again. Source: etcd op-guide/recovery (v3.6).
 */
const RAISE = ['--bump-revision', '1000000000', '--mark-compacted'] as const

/** Makes the folder; it must not be there yet. Throws a KubestepError; then there is none. */
export async function makeDataFolder(
  { program, raisesRevision }: SnapshotTool,
  file: string,
  folder: string,
  { name, peerUrl }: RestoredMember,
): Promise<void> {
  const what = `etcd: cannot make a data folder of "${file}"`
  const own = ['--name', name, '--initial-cluster', `${name}=${peerUrl}`, '--initial-advertise-peer-urls', peerUrl]
  const raise = raisesRevision ? RAISE : []
  try {
    await $({ what, env: ENV })`${program} snapshot restore ${file} --data-dir ${folder} ${own} ${raise}`
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}
