/** What goes wrong on real machines, made to happen: every time there is a clear message, and nothing is lost. */
import assert from 'node:assert/strict'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { LAYOUT } from '../../lib/base/paths.ts'
import { processesWith } from '../../lib/machine/host/processes.ts'
import { serviceManager } from '../../lib/machine/service/manager.ts'
import { PRIVATE_RUNTIME } from '../../lib/supply/runtime/private-runtime.ts'
import { failed, init, leavesNothing, succeeded } from './attempt.ts'
import { momentWhen, waitFor } from './moments.ts'
import { bundle, run, start } from './programs.ts'
import { advertising, ownAddress, type Target } from './targets.ts'
import { temporaryFolder } from './temporary.ts'

leavesNothing('init without rights says so and changes nothing', async target => {
  // A copy, for the checkout may be where only root can read.
  const folder = temporaryFolder()
  cpSync(new URL('../../dist/init.mjs', import.meta.url), join(folder, 'init.mjs'))
  succeeded(await run(['chmod', '-R', 'a+rX', folder]))
  const command = [process.execPath, join(folder, 'init.mjs'), '--artifacts', target.artifacts]
  failed(await run(command, { uid: 65534 }), /^init: cannot change this machine: it needs root; run it with sudo/m)
})

for (const [about, host] of [
  ['every address', '0.0.0.0'],
  ['the address of this machine alone', ownAddress()],
] as const) {
  leavesNothing(`init names a port that is taken on ${about}`, async target => {
    const server = createServer()
    await new Promise<void>(resolve => server.listen({ port: 6443, host }, resolve))
    try {
      failed(await run(init(target)), /6443/)
    } finally {
      server.close()
    }
  })
}

leavesNothing('init names every image archive that is broken', async target => {
  const whole = readFileSync(join(target.artifacts, 'images/kube-apiserver.tar'))
  const broken = withImages(target, {
    'garbage.tar': Buffer.from('garbage'),
    'half.tar': whole.subarray(0, whole.length / 2),
  })
  failed(await run(init({ ...target, artifacts: broken })), /garbage\.tar/, /half\.tar/)
})

leavesNothing('init names an image archive that only the runtime finds broken', async target => {
  const archive = Buffer.from(readFileSync(join(target.artifacts, 'images/kube-apiserver.tar')))
  archive.fill(0x2a, archive.length / 2, archive.length / 2 + 4096)
  const broken = withImages(target, { 'kube-apiserver.tar': archive })
  // What an earlier init unpacked would do instead.
  const ended = await run(init({ ...target, artifacts: broken }, '--cache-dir', temporaryFolder()))
  failed(ended, /kube-apiserver\.tar/)
})

leavesNothing('init names what an artifacts folder lacks before it changes anything', async target => {
  const brings = existsSync(join(target.artifacts, 'cni/bin/bridge'))
  const lacking = linkedCopy(target, [
    'images/kube-scheduler.tar',
    'images/kube-proxy.tar',
    'bin/kubectl',
    'cni/bin/bridge',
  ])
  writeFileSync(join(lacking, 'bin/kubectl'), 'hello', { flag: 'wx' })
  const before = performance.now()
  const ended = await run(init({ ...target, artifacts: lacking }))
  failed(ended, /kube-scheduler:v/, /kube-proxy:v/, /bin\/kubectl is not a program of this machine/)
  if (brings) assert.match(ended.stderr, /cni\/bin has no "bridge"/)
  assert.doesNotMatch(ended.stderr, /broken link/)
  assert.ok(performance.now() - before < 10_000)
  assert.equal(existsSync(LAYOUT.journal), false)
})

leavesNothing('init gives a runtime that died the archive again', async target => {
  const running = start(init(target, '--cache-dir', temporaryFolder()))
  await waitFor({ about: 'an archive comes in', reached: () => runtimes().length > 0 && content().length > 0 }, running)
  for (const pid of runtimes()) process.kill(pid, 'SIGKILL')
  succeeded(await running.ended)
})

/** The containerd of ours. */
function runtimes(): readonly number[] {
  return processesWith(['--config', LAYOUT.containerd.config])
}

function content(): readonly string[] {
  const folder = join(LAYOUT.containerd.root, 'io.containerd.content.v1.content/blobs/sha256')
  return existsSync(folder) ? readdirSync(folder) : []
}

leavesNothing('init ends soon when a CNI plugin goes away', async target => {
  const running = start(init(target))
  await waitFor({ about: 'the plugins are there', reached: () => existsSync(join(LAYOUT.cni.bin, 'bridge')) }, running)
  rmSync(join(LAYOUT.cni.bin, 'bridge'))
  const before = performance.now()
  failed(
    await running.ended,
    /first broken link is the Pods: the runtime cannot make Pod .*failed to find plugin "bridge"/,
  )
  assert.ok(performance.now() - before < 90_000)
})

for (const megabytes of [1, 300]) {
  leavesNothing(
    `init on a disk with ${megabytes} MB says that it is full, before and after it has begun`,
    async target => {
      mkdirSync(LAYOUT.state)
      succeeded(await run(['mount', '-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', LAYOUT.state]))
      try {
        failed(await run(init(target)), /^preflight: DiskSpace: /m)
        failed(await run(init(target, '--ignore-preflight-errors', 'DiskSpace')), /no space left/i)
        succeeded(await run(bundle('reset')))
      } finally {
        await run(['umount', LAYOUT.state])
        rmSync(LAYOUT.state, { recursive: true, force: true })
      }
    },
  )
}

leavesNothing('init goes on when the runtime dies and comes back', async target => {
  const running = start(init(target))
  await waitFor(momentWhen('etcd runs'), running)
  for (const pid of runtimes()) process.kill(pid, 'SIGKILL')
  succeeded(await running.ended)
})

leavesNothing('init says that the runtime is gone when it stays away', async target => {
  const running = start(init(target))
  await waitFor(momentWhen('etcd runs'), running)
  await serviceManager().stop(PRIVATE_RUNTIME)
  failed(await running.ended, /first broken link is the container runtime/, /to take the rest away: .*reset\.mjs/)
})

/** Of a network for documentation: RFC 5737. */
const ADDRESS = '198.51.100.7'

leavesNothing('init works after one with another address was killed', async target => {
  await withAddress(async () => {
    const first = start(init(advertising(target, ADDRESS)))
    await waitFor(momentWhen('etcd runs'), first)
    process.kill(first.pid, 'SIGKILL')
    await first.ended
  })
  const again = await run(init(target))
  succeeded(again)
  assert.match(again.stdout, /Taking away what an earlier init left/)
})

leavesNothing('a cluster whose address went away is still a cluster, and reset takes it', async target => {
  await withAddress(async () => succeeded(await run(init(advertising(target, ADDRESS)))))
  failed(
    await run(init(target)),
    /there is one on this machine; use it:\n\n.*KUBECONFIG.*\n(?:.*\n)+or take it away first:\n\n.*reset\.mjs/,
  )
})

leavesNothing('init with an address that this machine has not says so', async target => {
  failed(await run(init(advertising(target, ADDRESS))), new RegExp(ADDRESS))
})

async function withAddress(body: () => Promise<void>): Promise<void> {
  succeeded(await run(['ip', 'address', 'add', `${ADDRESS}/32`, 'dev', 'lo']))
  try {
    await body()
  } finally {
    succeeded(await run(['ip', 'address', 'delete', `${ADDRESS}/32`, 'dev', 'lo']))
  }
}

/** The artifacts with image archives put in or replaced. */
function withImages({ artifacts }: Target, images: Readonly<Record<string, Uint8Array>>): string {
  const folder = join(temporaryFolder(), 'artifacts')
  cpSync(artifacts, folder, { recursive: true, verbatimSymlinks: true })
  for (const [name, content] of Object.entries(images)) {
    const path = join(folder, 'images', name)
    rmSync(path, { force: true })
    writeFileSync(path, content)
  }
  return folder
}

/**
 * The artifacts without some files: folders of its own, with a link for each file. The target's own folders may be links
 * into somebody's: nothing is removed or written below them.
 */
function linkedCopy({ artifacts }: Target, without: readonly string[]): string {
  const folder = join(temporaryFolder(), 'artifacts')
  for (const part of ['bin', 'images', 'cni/bin']) {
    mkdirSync(join(folder, part), { recursive: true })
    const names = existsSync(join(artifacts, part)) ? readdirSync(join(artifacts, part)) : []
    for (const name of names.filter(one => !without.includes(`${part}/${one}`))) {
      symlinkSync(realpathSync(join(artifacts, part, name)), join(folder, part, name))
    }
  }
  return folder
}
