import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startDetached, which } from '../../lib/machine/command.ts'
import { presentGroups, removePodGroups } from '../../lib/machine/host/cgroups.ts'
import { commandLine, kill, processesInGroup, processesWith } from '../../lib/machine/host/processes.ts'

const skip =
  process.getuid?.() !== 0
    ? 'needs root for namespaces and control groups'
    : which('unshare') === undefined
      ? 'unshare is not installed'
      : false

const started: number[] = []
after(() => end(started))

/** Ends them with all that they have started. */
async function end(leaders: readonly number[]): Promise<void> {
  await kill(leaders.flatMap(processesInGroup))
}

/** A process that lives for a while, with these words behind its own. */
function live(before: readonly string[], words: readonly string[]): number {
  const pid = startDetached([...before, '/bin/sh', '-c', 'sleep 300; :', ...words], '/dev/null')
  started.push(pid)
  return pid
}

describe('processesWith()', { skip }, () => {
  const word = `--kubestep-test=${process.pid}`

  test('finds processes of this machine, and none of other namespaces or with other files', async () => {
    const root = mkdtempSync(join(tmpdir(), 'kubestep-root-'))
    const ours = live([], [word])
    // The one that unshares has the words among its own arguments, the other is what a container is.
    const outer = live(['unshare', '--pid', '--fork'], [word])
    const elsewhere = live(['unshare', '--mount', 'sh', '-c', `mount -t tmpfs none ${root} && exec "$@"`, 'sh'], [word])
    try {
      for (let tries = 0; tries < 100 && !commandLine(elsewhere).includes('sleep 300; :'); tries++) await sleep(20)
      await sleep(200)
      const found = processesWith([word])
      assert.ok(found.includes(ours))
      // What it started lives in another namespace of processes.
      const inner = readdirSync('/proc')
        .map(Number)
        .filter(pid => commandLine(pid).includes(word) && !started.includes(pid))
      assert.equal(inner.length >= 1, true)
      assert.deepEqual(
        found.filter(pid => inner.includes(pid)),
        [],
      )
      assert.deepEqual(processesWith([word], { program: /^unshare$/ }), [outer])
      assert.deepEqual(processesWith([word], { program: /^containerd-shim/ }), [])
      assert.ok(processesWith([word], { program: /^sh$/, folder: root }).includes(ours))
      assert.ok(!processesWith([word], { folder: root }).includes(elsewhere))
    } finally {
      await end(started)
      rmSync(root, { recursive: true })
    }
  })
})

const HIERARCHY = ['/sys/fs/cgroup/pids', '/sys/fs/cgroup'].find(path => existsSync(join(path, 'cgroup.procs'))) ?? ''

function mayMakeGroups(): boolean {
  try {
    mkdirSync(join(HIERARCHY, `kubestep-test-${process.pid}`))
    rmdirSync(join(HIERARCHY, `kubestep-test-${process.pid}`))
    return true
  } catch {
    return false
  }
}

describe('removePodGroups()', { skip: skip || (mayMakeGroups() ? false : 'no control group can be made here') }, () => {
  const name = `kubestep-test-${process.pid}`
  const root = join(HIERARCHY, name)
  const uid = (digit: string): string => `${digit.repeat(8)}-0000-4000-8000-${digit.repeat(12)}`
  const podOf = (digit: string): string => join(root, 'burstable', `pod${uid(digit)}`)

  function put(group: string): number {
    mkdirSync(group, { recursive: true })
    const pid = live([], [name])
    writeFileSync(join(group, 'cgroup.procs'), String(pid))
    return pid
  }

  test('ends Pods by their ids, and leaves the ones of others, and what was there before', async () => {
    const old = put(podOf('a'))
    const before = presentGroups([name])
    const ours = put(join(podOf('b'), 'c'.repeat(64)))
    const others = put(podOf('d'))
    const byHand = put(join(root, 'test'))
    mkdirSync(join(root, 'besteffort'))
    await removePodGroups({ roots: [name], before }, new Set([uid('a'), uid('b')]))
    assert.deepEqual(
      [old, ours, others, byHand].map(pid => commandLine(pid).length > 0),
      [true, false, true, true],
    )
    assert.equal(existsSync(podOf('b')), false)
    assert.ok(existsSync(podOf('a')) && existsSync(podOf('d')))
    // Somebody is in there: what is empty may be his.
    assert.ok(existsSync(join(root, 'besteffort')))

    await end([others, byHand, old])
    await sleep(200)
    await removePodGroups({ roots: [name], before }, new Set())
    assert.deepEqual(presentGroups([name]), before)
    await removePodGroups({ roots: [name], before: [] }, new Set())
    assert.equal(existsSync(root), false)
  })
})
