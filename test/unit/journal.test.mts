import assert from 'node:assert/strict'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Change, openJournal } from '../../lib/machine/journal.ts'
import { takeLock } from '../../lib/machine/machine-lock.ts'

function temporary(): string {
  return mkdtempSync(join(tmpdir(), 'kubestep-journal-'))
}

test('openJournal() reads back what was recorded, in order, each subject once', () => {
  const folder = temporary()
  const path = join(folder, 'state', 'journal.jsonl')
  const journal = openJournal(path)
  journal.record({ kind: 'sysctl', key: 'net.ipv4.ip_forward', before: '0' })
  journal.record({ kind: 'tree', path: '/var/lib/etcd' })
  journal.record({ kind: 'sysctl', key: 'net.ipv4.ip_forward', before: '1' })
  const again = openJournal(path)
  assert.deepEqual(again.changes(), [
    { kind: 'sysctl', key: 'net.ipv4.ip_forward', before: '0' },
    { kind: 'tree', path: '/var/lib/etcd' },
  ])
  assert.equal(statSync(path).mode & 0o777, 0o600)
  again.clear()
  assert.deepEqual(openJournal(path).changes(), [])
  rmSync(folder, { recursive: true })
})

test('openJournal() drops a last line that was cut off, and goes on after it', () => {
  const folder = temporary()
  const path = join(folder, 'journal.jsonl')
  openJournal(path).record({ kind: 'module', name: 'br_netfilter' })
  appendFileSync(path, '{"kind":"tr')
  const journal = openJournal(path)
  assert.equal(journal.changes().length, 1)
  journal.record({ kind: 'tree', path: '/x' })
  assert.deepEqual(openJournal(path).changes(), [
    { kind: 'module', name: 'br_netfilter' },
    { kind: 'tree', path: '/x' },
  ])
  rmSync(folder, { recursive: true })
})

test('openJournal() names the line that is damaged', () => {
  const folder = temporary()
  const path = join(folder, 'journal.jsonl')
  writeFileSync(path, '{"kind":"tree","path":"/x"}\ngarbage\n')
  assert.throws(() => openJournal(path), /line 2: it is damaged/)
  rmSync(folder, { recursive: true })
})

test('takeLock() refuses a second holder by name, and takes over from a dead one', () => {
  const folder = temporary()
  const path = join(folder, 'run', 'lock')
  const release = takeLock(path, 'init')
  assert.throws(
    () => takeLock(path, 'reset'),
    new RegExp(`reset: cannot start: process ${process.pid} \\(init\\) is at work`),
  )
  assert.deepEqual(readdirSync(join(folder, 'run')), ['lock'])
  release()
  assert.equal(existsSync(join(folder, 'run')), false)
  for (const dead of ['999999 12345 init\n', `${process.pid} 1 init\n`, '']) {
    mkdirSync(join(folder, 'run'))
    writeFileSync(path, dead)
    takeLock(path, 'reset')()
    assert.equal(existsSync(path), false)
  }
  rmSync(folder, { recursive: true })
})

test('takeLock() leaves a folder in which others have things', () => {
  const folder = temporary()
  writeFileSync(join(folder, 'other'), '')
  takeLock(join(folder, 'lock'), 'init')()
  assert.deepEqual(readdirSync(folder), ['other'])
  rmSync(folder, { recursive: true })
})

test('openJournal() forgets what came after the oldest changes, in the file too', () => {
  const folder = temporary()
  const path = join(folder, 'state', 'journal.jsonl')
  const journal = openJournal(path)
  journal.record({ kind: 'file', path: '/etc/kubernetes/é.conf', before: null, mode: 0o600 })
  journal.record({ kind: 'init' }, { kind: 'tree', path: '/var/lib/etcd' })
  journal.clear(1)
  for (const one of [journal, openJournal(path)]) {
    assert.deepEqual(one.changes(), [{ kind: 'file', path: '/etc/kubernetes/é.conf', before: null, mode: 0o600 }])
  }
  journal.record({ kind: 'init' })
  assert.equal(openJournal(path).changes().length, 2)
  journal.clear()
  assert.equal(existsSync(join(folder, 'state')), false)
  rmSync(folder, { recursive: true })
})

test('openJournal() repeats a subject after an init has begun, and once only', () => {
  const folder = temporary()
  const journal = openJournal(join(folder, 'journal.jsonl'))
  const file = (before: string | null): Change => ({
    kind: 'file',
    path: '/etc/kubernetes/kubelet.conf',
    before,
    mode: 0o600,
  })
  journal.record(file(null))
  journal.record({ kind: 'init' }, file('YQ=='))
  journal.record({ kind: 'init' }, file('Yg=='))
  assert.deepEqual(journal.changes(), [file(null), { kind: 'init' }, file('YQ==')])
  rmSync(folder, { recursive: true })
})
