import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { below, listFolder, readFile, writeFiles } from '../../lib/machine/files.ts'

function temporary(): string {
  return mkdtempSync(join(tmpdir(), 'kubestep files '))
}

test('writeFiles() gives exact modes whatever the umask', () => {
  const root = temporary()
  const before = process.umask(0o077)
  try {
    writeFiles(root, [
      { path: '/etc/kubernetes/pki/ca.crt', mode: 0o644, content: 'certificate' },
      { path: '/etc/kubernetes/pki/ca.key', mode: 0o600, content: Buffer.from('key') },
      { path: '/etc/kubernetes/manifests/etcd.yaml', mode: 0o600, content: 'pod' },
    ])
  } finally {
    process.umask(before)
  }
  assert.equal(statSync(join(root, 'etc/kubernetes/pki/ca.crt')).mode & 0o777, 0o644)
  assert.equal(statSync(join(root, 'etc/kubernetes/pki/ca.key')).mode & 0o777, 0o600)
  assert.equal(statSync(join(root, 'etc/kubernetes/manifests')).mode & 0o777, 0o700)
  assert.equal(readFileSync(join(root, 'etc/kubernetes/pki/ca.key'), 'utf8'), 'key')
  rmSync(root, { recursive: true })
})

test('writeFiles() writes nothing at all when one file cannot be written', () => {
  const root = temporary()
  mkdirSync(join(root, 'b'), { recursive: true })
  writeFileSync(join(root, 'a'), 'old')
  assert.throws(
    () =>
      writeFiles(root, [
        { path: '/a', mode: 0o644, content: 'new' },
        { path: '/new/folder/c', mode: 0o644, content: 'new' },
        { path: '/b', mode: 0o644, content: 'a folder is in the way' },
      ]),
    /files: cannot write ".*b": it is a folder; move it away/,
  )
  assert.equal(readFileSync(join(root, 'a'), 'utf8'), 'old')
  assert.deepEqual(readdirSync(root).sort(), ['a', 'b'])
  rmSync(root, { recursive: true })
})

test('writeFiles() says in words that a path leads through a file', () => {
  const root = temporary()
  writeFileSync(join(root, 'etc'), '')
  assert.throws(
    () => writeFiles(root, [{ path: '/etc/kubernetes/x', mode: 0o644, content: '' }]),
    /a part of the path is not a folder; correct the path/,
  )
  rmSync(root, { recursive: true })
})

test('writeFiles() leaves nothing in a folder it may not write to', {
  skip: process.getuid?.() === 0 && 'root may write anywhere',
}, () => {
  const root = temporary()
  chmodSync(root, 0o555)
  assert.throws(() => writeFiles(root, [{ path: '/x', mode: 0o644, content: '' }]), /permission denied/)
  chmodSync(root, 0o755)
  assert.deepEqual(readdirSync(root), [])
  rmSync(root, { recursive: true })
})

test('writeFiles() replaces what is there, by rename', () => {
  const root = temporary()
  writeFileSync(join(root, 'a'), 'old', { mode: 0o666 })
  writeFiles(root, [{ path: '/a', mode: 0o600, content: 'new' }])
  assert.equal(readFileSync(join(root, 'a'), 'utf8'), 'new')
  assert.equal(statSync(join(root, 'a')).mode & 0o777, 0o600)
  rmSync(root, { recursive: true })
})

test('readFile() and listFolder() give undefined for what is not there, and explain the rest', () => {
  const root = temporary()
  assert.equal(readFile(root, '/nothing'), undefined)
  assert.equal(listFolder(root, '/nothing'), undefined)
  assert.throws(() => readFile(root, '/'), /it is a folder; name a file/)
  assert.ok(existsSync(root))
  rmSync(root, { recursive: true })
})

test('below() leaves paths alone for the root', () => {
  assert.equal(below('/', '/etc/x'), '/etc/x')
  assert.equal(below('/some where', '/etc/x'), '/some where/etc/x')
})
