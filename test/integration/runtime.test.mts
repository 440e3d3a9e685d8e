import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startDetached, which } from '../../lib/machine/command.ts'
import { chooseRuntime } from '../../lib/supply/runtime/runtime.ts'

const containerd = which('containerd')
const skip =
  containerd === undefined ? 'containerd is not on this machine' : process.getuid?.() !== 0 ? 'it needs root' : false

/** Runs `body` beside a containerd as Docker's packages configure it: without CRI. */
async function besideDockers(body: (socket: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'kubestep-ctd-'))
  const socket = join(folder, 'c.sock')
  const config = join(folder, 'config.toml')
  writeFileSync(
    config,
    `version = 2
root = "${folder}/root"
state = "${folder}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
[grpc]
  address = "${socket}"
[ttrpc]
  address = "${socket}.ttrpc"
[debug]
  address = "${socket}.debug"
`,
  )
  const pid = startDetached([containerd ?? '', '--config', config], join(folder, 'log'))
  try {
    for (let tries = 0; !existsSync(socket) && tries < 400; tries++) await sleep(25)
    await body(`unix://${socket}`)
  } finally {
    process.kill(pid, 'SIGKILL')
    await sleep(100)
    rmSync(folder, { recursive: true, force: true })
  }
}

test('chooseRuntime() passes a containerd without CRI by, and one that is gone', { skip }, async () => {
  await besideDockers(async socket => {
    assert.deepEqual(await chooseRuntime('auto', ['unix:///run/kubestep-not-there.sock', socket]), { kind: 'private' })
  })
})

test('chooseRuntime() refuses a socket that was asked for and does not serve CRI', { skip }, async () => {
  await besideDockers(async socket => {
    await assert.rejects(chooseRuntime(socket, []), {
      name: 'KubestepError',
      message: new RegExp(`^runtime: cannot use "${socket}": it does not serve CRI; .*criSocket asks for this socket`),
    })
  })
  await assert.rejects(
    chooseRuntime('/run/kubestep-not-there.sock', []),
    /^KubestepError: runtime: cannot connect to "\/run\/kubestep-not-there.sock": .*criSocket asks for this socket/,
  )
})
