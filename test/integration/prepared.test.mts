/** Prepared runtimes with a real containerd: kept beside a running one, given to the next, and neither changes the other. */
import assert from 'node:assert/strict'
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { $, startDetached, which } from '../../lib/machine/command.ts'
import { archiveIdentity } from '../../lib/supply/fetch/archive-identity.ts'
import { keepPrepared } from '../../lib/supply/runtime/keep-runtime.ts'
import {
  bestPrepared,
  layOut,
  listingOf,
  mayKeepIn,
  preparedIn,
  RECORD,
} from '../../lib/supply/runtime/prepared-runtime.ts'
import { dockerFiles, tarOf } from '../archives.ts'

const containerd = which('containerd')
const skip =
  containerd === undefined ? 'containerd is not on this machine' : process.getuid?.() !== 0 ? 'it needs root' : false

// Below root's own folder: what lies in /tmp is in everybody's hands.
const folder = skip ? '' : mkdtempSync('/var/lib/kubestep-test-prepared-')
after(() => {
  if (folder !== '') rmSync(folder, { recursive: true, force: true })
})

type Ctr = (...args: readonly string[]) => Promise<string>

/** Runs a containerd over a root of its own. */
async function withContainerd<Result>(
  name: string,
  work: (ctr: Ctr, root: string) => Promise<Result>,
): Promise<Result> {
  const own = join(folder, name)
  mkdirSync(own, { recursive: true })
  const socket = join(own, 's')
  writeFileSync(
    join(own, 'config.toml'),
    `version = 2
root = "${own}/root"
state = "${own}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
[grpc]
  address = "${socket}"
[ttrpc]
  address = "${socket}.ttrpc"
[debug]
  address = "${socket}.debug"
`,
  )
  const ctr: Ctr = async (...args) => (await $`ctr --address ${socket} --namespace k8s.io ${args}`).stdout
  const pid = startDetached([containerd ?? '', '--config', join(own, 'config.toml')], join(own, 'log'))
  try {
    for (let tries = 0; tries < 200; tries++) {
      try {
        await ctr('version')
        break
      } catch {
        await sleep(25)
      }
    }
    return await work(ctr, join(own, 'root'))
  } finally {
    process.kill(pid, 'SIGTERM')
    for (let tries = 0; tries < 200 && existsSync(`/proc/${pid}`); tries++) await sleep(25)
  }
}

describe('prepared runtimes', { skip }, () => {
  const cacheDir = join(folder, 'cache')
  const archives = ['one', 'two'].map(mark => join(folder, `${mark}.tar`))
  const names = ['example.test/one:1', 'example.test/two:1']

  test('keepPrepared() keeps images, and nothing of containers', async () => {
    for (const [index, mark] of ['one', 'two'].entries()) {
      writeFileSync(archives[index] ?? '', tarOf(dockerFiles({ mark }, [names[index] ?? ''])))
    }
    const identities = await Promise.all(archives.map(archiveIdentity))
    await withContainerd('live', async (ctr, root) => {
      for (const archive of archives) await ctr('images', 'import', archive)
      await ctr('containers', 'create', '--snapshotter', 'overlayfs', names[0] ?? '', 'running')
      const before = await ctr('snapshots', 'list')
      const kept = await keepPrepared({ cacheDir, root, containerd: 'c1', archives: identities, images: {} })
      assert.equal(await ctr('snapshots', 'list'), before, 'the running one is as it was')
      assert.equal((await ctr('containers', 'list', '--quiet')).trim(), 'running')
      assert.deepEqual(readdirSync(join(cacheDir, 'runtimes')), [kept.split('/').at(-1)])
    })
    assert.deepEqual(bestPrepared(preparedIn(cacheDir), 'c1', identities)?.archives, identities)
    assert.equal(bestPrepared(preparedIn(cacheDir), 'c2', identities), undefined, 'databases of another containerd')
    assert.equal(bestPrepared(preparedIn(cacheDir), 'c1', ['f'.repeat(64)]), undefined)
  })

  test('layOut() gives them to another one; removing and collecting there changes nothing elsewhere', async () => {
    const [prepared] = preparedIn(cacheDir)
    assert.ok(prepared)
    mkdirSync(join(folder, 'next'))
    assert.equal(await layOut(prepared, join(folder, 'next/root')), true)
    const { listing } = prepared
    const blobs = 'io.containerd.content.v1.content/blobs/sha256'
    for (const blob of readdirSync(join(prepared.folder, blobs))) {
      const inode = (root: string): number => statSync(join(root, blobs, blob)).ino
      assert.equal(
        inode(join(folder, 'next/root')),
        inode(prepared.folder),
        'the same bytes on disk, and no second copy',
      )
    }
    await withContainerd('next', async ctr => {
      const listed = await ctr('images', 'list', '--quiet')
      for (const name of names) assert.ok(listed.includes(name))
      assert.equal(await ctr('containers', 'list', '--quiet'), '')
      assert.doesNotMatch(await ctr('snapshots', 'list'), /Active|View/)
      // Unpacked, and writable above: a container gets a layer of its own.
      await ctr('containers', 'create', '--snapshotter', 'overlayfs', names[1] ?? '', 'other')
      await ctr('containers', 'delete', 'other')
      await ctr('images', 'delete', '--sync', ...names)
      assert.equal((await ctr('content', 'list', '--quiet')).trim(), '')
    })
    assert.equal(listingOf(prepared.folder), listing)
    await withContainerd('live', async ctr => {
      for (const digest of (await ctr('content', 'list', '--quiet')).trim().split('\n'))
        await ctr('content', 'get', digest)
      await ctr('containers', 'create', '--snapshotter', 'overlayfs', names[1] ?? '', 'still')
    })
  })

  for (const [what, damage] of [
    ['has other bytes, as many as before', path => writeFileSync(path, Buffer.alloc(statSync(path).size, 1))],
    ['is cut short', path => truncateSync(path, 1)],
  ] as const satisfies readonly [string, (path: string) => void][]) {
    test(`layOut() refuses one of which a file ${what}, and leaves nothing`, async () => {
      const [prepared] = preparedIn(cacheDir)
      assert.ok(prepared)
      const own = join(mkdtempSync(join(folder, 'copy-')), 'prepared')
      await $`cp --archive ${prepared.folder} ${own}`
      const copy = { ...prepared, folder: own }
      assert.equal(await layOut(copy, join(own, '../whole')), true)
      const blobs = join(own, 'io.containerd.content.v1.content/blobs/sha256')
      damage(join(blobs, readdirSync(blobs)[0] ?? ''))
      const root = join(own, '../refused')
      assert.equal(await layOut(copy, root), false)
      assert.equal(existsSync(join(root, 'io.containerd.content.v1.content/blobs')), false)
    })
  }

  test('preparedIn() believes none that somebody else could have made, nor half of one', () => {
    const [prepared] = preparedIn(cacheDir)
    const path = prepared?.folder ?? ''
    chownSync(path, 65534, 65534)
    assert.deepEqual(preparedIn(cacheDir), [])
    chownSync(path, 0, 0)
    assert.equal(mayKeepIn(cacheDir), true)
    assert.equal(mayKeepIn(join(cacheDir, 'not/there/yet')), true)
    chownSync(cacheDir, 65534, 65534)
    assert.equal(mayKeepIn(cacheDir), false)
    chownSync(cacheDir, 0, 0)
    assert.equal(preparedIn(cacheDir).length, 1)
    rmSync(join(path, RECORD))
    assert.deepEqual(preparedIn(cacheDir), [])
  })
})
