/** Whose data a snapshot takes the place of, who else is of that etcd, and where an image has etcd's tool. */
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { describe, test } from 'node:test'
import { stringify } from '../../lib/base/yaml.ts'
import { listens } from '../../lib/machine/network/listens.ts'
import { restoredMember } from '../../lib/phases/snapshot/restored-member.ts'
import { layersOf } from '../../lib/supply/runtime/image-files.ts'

const ARGUMENTS = [
  '--data-dir=/var/lib/etcd',
  '--initial-advertise-peer-urls=https://10.0.0.2:2380',
  '--initial-cluster=n1=https://10.0.0.1:2380,n2=https://10.0.0.2:2380,n3=https://[fd00::3]:2380',
  '--name=n2',
]

const read = (args: readonly string[]) => (path: string) =>
  path === '/etc/kubernetes/manifests/etcd.yaml'
    ? stringify({ spec: { containers: [{ image: 'example.org/etcd:1', command: ['etcd', ...args] }] } })
    : undefined

describe('restoredMember()', () => {
  test('its name, its place, and the others as they were when it joined', () => {
    assert.deepEqual(restoredMember(read(ARGUMENTS)), {
      name: 'n2',
      peerUrl: 'https://10.0.0.2:2380',
      dataDir: '/var/lib/etcd',
      image: 'example.org/etcd:1',
      peers: [
        { name: 'n1', url: 'https://10.0.0.1:2379' },
        { name: 'n3', url: 'https://[fd00::3]:2379' },
      ],
    })
  })

  const rows: readonly (readonly [what: string, args: readonly string[], fault: RegExp])[] = [
    ['no etcd here', [], /etcd\.yaml" has no --name; an etcd that is elsewhere is restored there/],
    ['a log in a folder of its own', [...ARGUMENTS, '--wal-dir=/wal'], /has a --wal-dir of its own/],
  ]
  for (const [what, args, fault] of rows) test(what, () => assert.throws(() => restoredMember(read(args)), fault))
})

describe('listens()', () => {
  for (const host of ['127.0.0.1', '[::1]']) {
    test(host, async t => {
      const server = createServer(socket => socket.end())
      const isThere = await new Promise<boolean>(resolve => {
        server.once('error', () => resolve(false))
        server.listen(0, host.replace(/[[\]]/g, ''), () => resolve(true))
      })
      if (!isThere) return t.skip('this machine has no such address')
      const address = server.address()
      const url = `https://${host}:${typeof address === 'object' ? address?.port : ''}`
      assert.equal(await listens(url), true)
      await new Promise(resolve => server.close(resolve))
      assert.equal(await listens(url), false)
    })
  }

  test('a member that has not started yet says nowhere', async () => assert.equal(await listens(''), false))
})

describe('layersOf()', () => {
  const rows: readonly (readonly [what: string, mount: Parameters<typeof layersOf>[0], layers: readonly string[]])[] = [
    ['one', { type: 'bind', source: '/s/1/fs', options: ['ro', 'rbind'] }, ['/s/1/fs']],
    [
      'two',
      { type: 'overlay', source: 'overlay', options: ['index=off', 'lowerdir=/s/2/fs:/s/1/fs'] },
      ['/s/2/fs', '/s/1/fs'],
    ],
    ['none', undefined, []],
  ]
  for (const [what, mount, layers] of rows) test(what, () => assert.deepEqual(layersOf(mount), layers))
})
