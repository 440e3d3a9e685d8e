/**
 * Keeps what a private runtime has made of images for the next one: its layers by hard links, its databases as they
 * are, and out of both whatever belongs to containers. The running one is only read.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { KubestepError } from '../../base/errors.ts'
import { $, startDetached, which } from '../../machine/command.ts'
import {
  copyParts,
  IMAGE_PARTS,
  listingOf,
  type PreparedRecord,
  preparedFolder,
  preparedIn,
  RECORD,
} from './prepared-runtime.ts'

export interface Keeping {
  readonly cacheDir: string
  /** Root of the runtime whose images are kept. */
  readonly root: string
  /** As `containerd --version` says it. */
  readonly containerd: string
  /** Identities of the archives that were put into it. */
  readonly archives: readonly string[]
  readonly images: Readonly<Record<string, string>>
}

/** So many are kept, the oldest go first: a matrix of versions on one machine, and not every version ever. */
const MOST_KEPT = 3

const NAMESPACE = 'k8s.io'

/** Makes it, whole or not at all; gives its folder. Throws a KubestepError or what the system says. */
export async function keepPrepared({ cacheDir, root, containerd, archives, images }: Keeping): Promise<string> {
  const folder = preparedFolder(cacheDir)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  removeUnfinished(folder)
  const work = join(folder, `.${process.pid}`)
  mkdirSync(join(work, 'root'), { recursive: true, mode: 0o700 })
  try {
    const parts = IMAGE_PARTS.filter(part => existsSync(join(root, part)))
    if (!(await copyParts(root, join(work, 'root'), parts))) {
      throw new KubestepError(`runtime: cannot keep images in "${folder}": copying "${root}" failed`)
    }
    const snapshotters = parts.flatMap(part => /snapshotter\.v1\.(\w+)$/.exec(part)?.[1] ?? [])
    await withRuntime(work, ctr => clearContainers(ctr, snapshotters))
    for (const name of readdirSync(work).filter(name => name !== 'root')) rmSync(join(work, name), { recursive: true })
    const kept = join(work, 'root')
    onlyImages(kept)
    const record: PreparedRecord = { containerd, archives, images, listing: listingOf(kept) }
    writeFileSync(join(kept, RECORD), `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 })
    // Made of the same again it takes the place of the one before.
    const made = createHash('sha256').update(JSON.stringify([containerd, archives.toSorted()]))
    const target = join(folder, made.digest('hex').slice(0, 16))
    rmSync(target, { recursive: true, force: true })
    renameSync(kept, target)
    for (const { folder: old } of preparedIn(cacheDir).slice(MOST_KEPT)) rmSync(old, { recursive: true, force: true })
    return target
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** What killed processes left. */
function removeUnfinished(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = Number(name.slice(1))
    if (name.startsWith('.') && !existsSync(`/proc/${pid}`))
      rmSync(join(folder, name), { recursive: true, force: true })
  }
}

/** Everything in a root that is not a part of images goes. */
function onlyImages(root: string): void {
  const tops = IMAGE_PARTS.map(part => part.split('/')[0])
  for (const name of readdirSync(root).filter(name => !tops.includes(name)))
    rmSync(join(root, name), { recursive: true, force: true })
  rmSync(join(root, 'io.containerd.content.v1.content/ingest'), { recursive: true, force: true })
}

type Ctr = (...args: readonly string[]) => Promise<string>

/** Runs `work` with a containerd of its own over the copy; it has no CRI, no network and ends before this does. */
async function withRuntime(folder: string, work: (ctr: Ctr) => Promise<void>): Promise<void> {
  const socket = join(folder, 's')
  const config = join(folder, 'config.toml')
  writeFileSync(config, configText(folder, socket), { mode: 0o600 })
  const log = join(folder, 'log')
  const pid = startDetached([which('containerd') ?? 'containerd', '--config', config], log)
  const program = which('ctr') ?? 'ctr'
  const command = $({ what: 'runtime: cannot keep images' })
  const ctr: Ctr = async (...args) =>
    (await command`${program} --address ${socket} --namespace ${NAMESPACE} ${args}`).stdout
  try {
    await answering(ctr, pid, log)
    await work(ctr)
  } finally {
    await end(pid)
  }
}

function configText(folder: string, socket: string): string {
  const rows = {
    root: `${folder}/root`,
    state: `${folder}/state`,
    disabled_plugins: ['io.containerd.grpc.v1.cri', 'io.containerd.internal.v1.opt'],
  }
  return [
    'version = 2',
    ...Object.entries(rows).map(([key, value]) => `${key} = ${JSON.stringify(value)}`),
    ...['grpc', 'debug', 'ttrpc'].map(
      (name, index) => `[${name}]\naddress = ${JSON.stringify(`${socket}${['', '.debug', '.ttrpc'][index]}`)}`,
    ),
    '',
  ].join('\n')
}

const START_LIMIT_MS = 10_000

async function answering(ctr: Ctr, pid: number, log: string): Promise<void> {
  const end = performance.now() + START_LIMIT_MS
  for (;;) {
    try {
      await ctr('images', 'list', '--quiet')
      return
    } catch (error) {
      if (performance.now() > end || !existsSync(`/proc/${pid}`)) {
        const last = readFileSync(log, 'utf8').trim().split('\n').at(-1)
        throw new KubestepError(`runtime: cannot keep images: containerd does not start: ${last}`, { cause: error })
      }
    }
    await sleep(30)
  }
}

async function end(pid: number): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    try {
      process.kill(pid, signal)
    } catch {
      return
    }
    for (let waited = 0; waited < 5000 && existsSync(`/proc/${pid}`); waited += 20) await sleep(20)
  }
}

/** Containers go, and with them the layers that they wrote to: some by themselves, when containerd collects. */
async function clearContainers(ctr: Ctr, snapshotters: readonly string[]): Promise<void> {
  const containers = words(await ctr('containers', 'list', '--quiet'))
  if (containers.length > 0) await ctr('containers', 'delete', '--keep-snapshot', ...containers)
  const leases = words(await ctr('leases', 'list', '--quiet'))
  if (leases.length > 0) await ctr('leases', 'delete', '--sync', ...leases)
  for (const snapshotter of snapshotters) {
    const command = ['snapshots', '--snapshotter', snapshotter]
    for (const key of await written(ctr, command)) await ctr(...command, 'delete', key).catch(() => {})
    const left = await written(ctr, command)
    if (left.length > 0) throw new KubestepError(`runtime: cannot keep images: ${left.join(', ')} stay`)
  }
}

// KEY PARENT KIND below a heading. What containers write to is active, what only reads is a view.
async function written(ctr: Ctr, command: readonly string[]): Promise<string[]> {
  const rows = (await ctr(...command, 'list')).split('\n').slice(1).map(words)
  return rows.filter(row => ['Active', 'View'].includes(row.at(-1) ?? '')).map(([key = '']) => key)
}

const words = (text: string): string[] => text.split(/\s+/).filter(word => word !== '')
