import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { DEFAULT_VERSION } from '../../lib/base/defaults.ts'
import { ARCHITECTURES } from '../../lib/base/platform.ts'
import { COMPONENTS } from '../../lib/supply/components/component-table.ts'
import {
  fileKey,
  openLock,
  readLock,
  readLockTable,
  writeLock,
  writeLockTable,
} from '../../lib/supply/fetch/digest-lock.ts'
import { readReference } from '../../lib/supply/fetch/reference.ts'

const [A, B] = ['a'.repeat(64), 'b'.repeat(64)] as const

test('readLock() takes what writeLock() writes, with comments, and in any order', () => {
  const text = `${A}  kubelet v1.36.2 amd64\n${B}  registry.k8s.io/pause:3.10.2\n`
  const lock = readLock(`# a comment\n\n${text.split('\n').reverse().join('\n')}`, 'file')
  assert.equal(lock.get(fileKey('kubelet', 'v1.36.2', 'amd64')), A)
  assert.equal(lock.get('registry.k8s.io/pause:3.10.2'), B)
  assert.equal(writeLock(lock), text)
  assert.deepEqual(readLock('', 'file'), new Map())
})

const FAULTS: readonly (readonly [text: string, message: RegExp])[] = [
  ['nonsense', /line 1 is not "<sha256> {2}<name>"/],
  [`${A} kubelet v1.36.2 amd64`, /line 1 is not/],
  [`${A.slice(1)}  kubelet v1.36.2 amd64`, /line 1 is not/],
  [`${A.toUpperCase()}  kubelet`, /line 1 is not/],
  [`${A}  x y\n${B}  x y`, /line 2 gives "x y" another digest/],
  [`one\n${A}  fine\ntwo`, /line 1 is not .*, line 3 is not /],
]

for (const [text, message] of FAULTS) {
  test(`readLock() refuses ${JSON.stringify(text.replace(/(.)\1{9,}/g, '$1..'))} and names the line`, () => {
    assert.throws(() => readLock(text, '/some/lock'), message)
    assert.throws(() => readLock(text, '/some/lock'), /^KubestepError: components: cannot use lock "\/some\/lock": /)
  })
}

test('openLock() comes with digests of the default version, for the two common architectures', async () => {
  const lock = await openLock(undefined)
  for (const arch of ['amd64', 'arm64']) {
    for (const { name, version } of COMPONENTS) {
      const wish = { version: DEFAULT_VERSION, arch }
      assert.match(lock.get(fileKey(name, version(wish), arch)) ?? '', /^[0-9a-f]{64}$/)
    }
  }
  const file = new RegExp(
    `^(?:${COMPONENTS.map(({ name }) => name).join('|')}) v\\d+\\.\\d+\\.\\d+ (?:${ARCHITECTURES.map(({ go }) => go).join('|')})$`,
  )
  const files = [...lock].filter(([name]) => file.test(name))
  assert.equal(new Set(files.map(([, digest]) => digest)).size, files.length)
  // What is no file is an image by its whole name, which the lock is asked for.
  for (const [name] of lock) if (!file.test(name)) assert.equal(readReference(name).name, name)
  // Every minor that there is has files that are known.
  for (let minor = 18; minor <= 36; minor++) {
    const known = files.filter(([name]) => name.startsWith(`kubelet v1.${minor}.`)).map(([name]) => name)
    assert.ok(known.length >= 4, `${known.length} of v1.${minor}`)
    for (const name of known) assert.ok(lock.has(name.replace('kubelet', 'kubectl')) || name === LONE, name)
  }
})

/** kubespray and kOps do not agree about the kubectl beside it. */
const LONE = 'kubelet v1.27.13 arm64'

test('writeLockTable() says the same in less, and readLockTable() reads it back', async () => {
  const lock = await openLock(undefined)
  const table = writeLockTable(lock)
  assert.deepEqual([...readLockTable(table)].sort(), [...lock].sort())
  assert.ok(table.length < writeLock(lock).length * 0.55)
  const odd = new Map([
    ['kubelet ci/v1.37.0-alpha.1+abc amd64', A],
    ['kubelet v1.36.2-rc.0 s390x', B],
    ['localhost:5000/a/b:1', A],
    ['registry.k8s.io/pause:3.10.2', B],
  ])
  assert.deepEqual([...readLockTable(writeLockTable(odd))].sort(), [...odd].sort())
  assert.throws(() => readLockTable('nonsense'), RangeError)
})

test('openLock() takes a file in place of it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kubestep lock '))
  const file = join(folder, 'lock')
  writeFileSync(file, `${A}  kubelet v1.36.2 amd64\n`)
  assert.deepEqual([...(await openLock(file))], [['kubelet v1.36.2 amd64', A]])
  await assert.rejects(openLock(join(folder, 'other')), /cannot read lock ".*other": it does not exist/)
  rmSync(folder, { recursive: true })
})

test('docs/security.md names exactly the images that are locked', async () => {
  const text = readFileSync(new URL('../../docs/security.md', import.meta.url), 'utf8')
  const section = text.slice(
    text.indexOf('### What the lock knows'),
    text.indexOf('Where dl.k8s.io and registry.k8s.io'),
  )
  const named = [...section.matchAll(/`((?:registry\.k8s|k8s\.gcr)\.io\/[^`]+)`/g)].map(([, name]) => name)
  const locked = [...(await openLock(undefined)).keys()].filter(name => name.includes('/'))
  assert.deepEqual(named.sort(), locked.sort())
})
