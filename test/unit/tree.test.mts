import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openTree } from '../../lib/machine/dry-run-tree.ts'

const base = mkdtempSync(join(tmpdir(), 'kubestep tree '))
after(() => rmSync(base, { recursive: true }))

const file = (path: string, content = path): { path: string; mode: number; content: string } => ({
  path,
  mode: 0o600,
  content,
})
const RECORD = 'var/lib/kubestep/dry-run.json'
const INIT = { command: 'init', whole: true }
const CERTS = { command: 'certs all', whole: false }

test('a whole tree replaces the one before, and leaves what is somebody’s own', () => {
  const folder = join(base, 'whole')
  openTree(folder, INIT).write([file('/etc/kubernetes/a'), file('/etc/kubernetes/etcd/b'), file('/c')])
  mkdirSync(join(folder, '.git'))
  const again = openTree(folder, INIT)
  assert.equal(again.read('/c'), undefined)
  again.write([file('/c', 'new')])
  assert.deepEqual(readdirSync(folder).sort(), ['.git', 'c', 'var'])
  assert.equal(readFileSync(join(folder, 'c'), 'utf8'), 'new')
})

test('phases read what others wrote, and make their own part anew', () => {
  const folder = join(base, 'parts')
  openTree(folder, CERTS).write([file('/pki/ca.crt'), file('/pki/old.crt')])
  const other = openTree(folder, { command: 'kubeconfig all', whole: false })
  assert.equal(other.read('/pki/ca.crt'), '/pki/ca.crt')
  other.write([file('/admin.conf')])
  const again = openTree(folder, CERTS)
  assert.deepEqual([again.read('/pki/ca.crt'), again.read('/admin.conf')], [undefined, '/admin.conf'])
  again.write([file('/pki/ca.crt')])
  again.write([file('/pki/more.crt')])
  assert.deepEqual(readdirSync(join(folder, 'pki')).sort(), ['ca.crt', 'more.crt'])
  openTree(folder, INIT).write([file('/x')])
  assert.deepEqual(readdirSync(folder).sort(), ['var', 'x'])
})

test('what another command wrote too stays when it is no longer written', () => {
  const folder = join(base, 'shared')
  openTree(folder, CERTS).write([file('/shared'), file('/own')])
  openTree(folder, { command: 'other', whole: false }).write([file('/shared')])
  openTree(folder, CERTS).write([file('/own')])
  assert.ok(existsSync(join(folder, 'shared')))
})

test('a failure leaves the earlier tree as it was', () => {
  const folder = join(base, 'failure')
  openTree(folder, INIT).write([file('/a'), file('/b/c')])
  assert.throws(() => openTree(folder, INIT).write([file('/a', 'new'), file('/b')]), /it is a folder; move it away/)
  assert.equal(readFileSync(join(folder, 'a'), 'utf8'), '/a')
  assert.ok(existsSync(join(folder, 'b/c')))
})

const foreign = join(base, 'foreign')
mkdirSync(join(foreign, 'etc/kubernetes'), { recursive: true })
writeFileSync(join(base, 'plain'), '')
symlinkSync('/', join(base, 'machine'))
const damaged = join(base, 'damaged')
mkdirSync(join(damaged, 'var/lib/kubestep'), { recursive: true })
writeFileSync(join(damaged, RECORD), '{')

for (const [what, folder, message] of [
  ['this machine', '/', /init: cannot write a dry run to "\/": that is this machine itself; name a new folder/],
  ['this machine by another name', '/proc/self/root', /that is this machine itself/],
  ['a link to this machine', join(base, 'machine'), /that is this machine itself/],
  ['a folder of somebody else’s', foreign, /it is not empty, and no dry run of kubestep made it \(there is "etc"\)/],
  ['a file', join(base, 'plain'), /it is a file; name a new folder/],
  ['a folder below a file', join(base, 'plain/x'), /./],
  ['a tree with a damaged record', damaged, /cannot read ".*dry-run\.json": it is damaged; name a new folder/],
] as const) {
  test(`openTree() refuses ${what}`, () => {
    assert.throws(() => openTree(folder, INIT).write([file('/a')]), message)
    assert.equal(existsSync(`/${RECORD}`), false)
  })
}

test('openTree() refuses a link inside that leads out', () => {
  const folder = join(base, 'link')
  openTree(folder, INIT).write([file('/etc/kubernetes/a')])
  rmSync(join(folder, 'etc'), { recursive: true })
  mkdirSync(join(base, 'elsewhere'))
  symlinkSync(join(base, 'elsewhere'), join(folder, 'etc'))
  assert.throws(() => openTree(folder, INIT).write([file('/etc/kubernetes/a')]), /it is a link; name a new folder/)
  assert.deepEqual(readdirSync(join(base, 'elsewhere')), [])
})
