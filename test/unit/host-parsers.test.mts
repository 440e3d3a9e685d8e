/** What is read of a host, in the formats of the kernel and of programs. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { formatSubnet, parseSubnet } from '../../lib/base/address.ts'
import { memoryBytes, openFilesLimit, processorCount } from '../../lib/machine/host/capacity.ts'
import { containerSign } from '../../lib/machine/host/container.ts'
import { mountOf, parseMounts } from '../../lib/machine/host/mount-table.ts'
import { mountsBelow } from '../../lib/machine/host/mounts.ts'
import { isCriDisabled } from '../../lib/machine/host/packaged-containerd.ts'
import { findProgram } from '../../lib/machine/host/programs.ts'
import { knowsOwnName, nameServers } from '../../lib/machine/host/resolver.ts'
import { overlap, routes4, routes6 } from '../../lib/machine/host/routes.ts'
import { parseUnits } from '../../lib/machine/host/systemd-units.ts'
import { openHost } from './preflight-hosts.ts'

test('processorCount() counts the affinity mask', () => {
  const rows: readonly (readonly [list: string, count: number])[] = [
    ['0', 1],
    ['0-3', 4],
    ['0,2-4,8', 5],
  ]
  for (const [list, count] of rows) assert.equal(processorCount(`Name:\tx\nCpus_allowed_list:\t${list}\n`), count)
  assert.equal(processorCount(''), undefined)
})

test('memoryBytes() and openFilesLimit() read the tables of the kernel', () => {
  assert.equal(memoryBytes('MemTotal:       24684084 kB\nMemFree: 1 kB\n'), 24684084 * 1024)
  assert.equal(memoryBytes(''), undefined)
  const limits = (hard: string): string =>
    `Max open files            1024                 ${hard}              files     \n`
  assert.equal(openFilesLimit(limits('524288')), 524288)
  assert.equal(openFilesLimit(limits('unlimited')), Number.POSITIVE_INFINITY)
  assert.equal(openFilesLimit(''), undefined)
})

test('routes4() leaves out the default route, what is down and what is rejected', () => {
  const text = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t0000000A\t00000000\t0001\t0\t0\t0\t00F0FFFF\t0\t0\t0
eth1\t0000A8C0\t00000000\t0000\t0\t0\t0\t0000FFFF\t0\t0\t0
*\t000064C0\t00000000\t0201\t0\t0\t0\t0000FFFF\t0\t0\t0
`
  assert.deepEqual(
    routes4(text).map(({ subnet, interfaceName }) => `${formatSubnet(subnet)} ${interfaceName}`),
    ['10.0.0.0/20 eth0'],
  )
})

test('routes6() leaves out link-local, multicast, loopback and default routes', () => {
  const hop = '00000000000000000000000000000000'
  const row = (address: string, length: string, name: string): string =>
    `${address} ${length} ${hop} 00 ${hop} 00000100 00000001 00000000 00000001 ${name}`
  const text = [
    row('fd000000000000000000000000000000', '40', 'eth0'),
    row('fe800000000000000000000000000000', '40', 'eth0'),
    row('ff000000000000000000000000000000', '08', 'eth0'),
    row('00000000000000000000000000000001', '80', 'lo'),
    row(hop, '00', 'eth0'),
  ].join('\n')
  assert.deepEqual(
    routes6(text).map(({ subnet }) => formatSubnet(subnet)),
    ['fd00::/64'],
  )
})

test('overlap() compares within a family', () => {
  const rows: readonly (readonly [a: string, b: string, both: boolean])[] = [
    ['10.96.0.0/12', '10.100.0.0/16', true],
    ['10.0.0.0/8', '10.244.0.0/16', true],
    ['10.96.0.0/12', '10.112.0.0/16', false],
    ['fd00::/8', '10.0.0.0/8', false],
  ]
  for (const [a, b, both] of rows) {
    const [first, second] = [parseSubnet(a), parseSubnet(b)]
    assert.ok(first && second)
    assert.equal(overlap(first, second), both)
    assert.equal(overlap(second, first), both)
  }
})

test('mountsBelow() leaves out what lies below another mount', () => {
  const table = (...rows: readonly (readonly [number, number, string])[]): string =>
    rows.map(([id, parent, point]) => `${id} ${parent} 0:1 / ${point} rw - tmpfs t rw\n`).join('')
  const root = [20, 1, '/'] as const
  const volume = [22, 20, '/var/lib/kubelet/pods/a/volume'] as const
  const cases: readonly (readonly [string, readonly string[]])[] = [
    [table(root, volume), ['/var/lib/kubelet/pods/a/volume']],
    // A folder of its own over that of the machine, with a mount in each.
    [
      table(root, volume, [30, 20, '/var/lib/kubelet'], [31, 30, '/var/lib/kubelet/pods/b\\040c']),
      ['/var/lib/kubelet/pods/b c', '/var/lib/kubelet'],
    ],
    // Two on top of each other, of which both can go.
    [table(root, volume, [23, 22, volume[2]]), [volume[2], volume[2]]],
    // A root that is on itself, and one that another one covers.
    [
      table([1, 1, '/'], [20, 1, '/'], [22, 20, '/var/lib/kubelet/x'], [23, 1, '/var/lib/kubelet/y']),
      ['/var/lib/kubelet/x'],
    ],
    [table([22, 5, '/var/lib/kubelet/x']), ['/var/lib/kubelet/x']],
    [table(root, [22, 20, '/var/lib/kubelet2']), []],
  ]
  for (const [text, expected] of cases) assert.deepEqual(mountsBelow(text, ['/var/lib/kubelet']), expected)
})

test('parseMounts() and mountOf() find the file system below a path', () => {
  const mounts = parseMounts(
    [
      '22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
      '23 22 0:5 / /sys/fs/cgroup ro,nosuid shared:9 master:2 - cgroup2 cgroup rw',
      '24 22 8:2 / /var\\040lib rw - xfs /dev/sdb1 rw',
      '25 22 8:3 / /data rw - ext4 /dev/sdc1 ro',
      '26 22 8:4 / /data rw - btrfs /dev/sdd1 rw',
      '',
    ].join('\n'),
  )
  assert.equal(mountOf(mounts, '/etc/x')?.type, 'ext4')
  assert.deepEqual(mountOf(mounts, '/sys/fs/cgroup/cpu'), { point: '/sys/fs/cgroup', type: 'cgroup2', readOnly: true })
  assert.equal(mountOf(mounts, '/var lib/x')?.type, 'xfs')
  assert.deepEqual(mountOf(mounts, '/data'), { point: '/data', type: 'btrfs', readOnly: false })
  assert.equal(mountOf(mounts, '/database')?.type, 'ext4')
})

test('parseUnits() reads blocks of systemctl show', () => {
  const text =
    'Id=firewalld.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n\nId=x.service\nLoadState=not-found\nActiveState=inactive\nUnitFileState=\n'
  assert.deepEqual(parseUnits(text), [
    { name: 'firewalld.service', isLoaded: true, isActive: true, isEnabled: true },
    { name: 'x.service', isLoaded: false, isActive: false, isEnabled: false },
  ])
  assert.deepEqual(parseUnits(''), [])
})

test('nameServers() and knowsOwnName() read the files of the resolver', () => {
  assert.deepEqual(nameServers('# nameserver 1.1.1.1\nsearch x\nnameserver 10.0.0.1\n nameserver fd00::1 \n'), [
    '10.0.0.1',
    'fd00::1',
  ])
  assert.equal(knowsOwnName('passwd: files\nhosts: files mymachines myhostname dns\n'), true)
  assert.equal(knowsOwnName('hosts: files dns\n# hosts: myhostname\n'), false)
})

describe('isCriDisabled()', () => {
  const rows: readonly (readonly [toml: string, off: boolean])[] = [
    ['disabled_plugins = ["cri"]', true],
    ["disabled_plugins = [\n  'io.containerd.grpc.v1.cri',\n]", true],
    ['#disabled_plugins = ["cri"]', false],
    ['disabled_plugins = []', false],
    ['disabled_plugins = ["aufs", "btrfs"]\n[plugins.cri]', false],
    ['', false],
  ]
  for (const [toml, off] of rows) {
    test(`isCriDisabled() of ${JSON.stringify(toml)}`, () => assert.equal(isCriDisabled(toml), off))
  }
})

describe('containerSign()', () => {
  const rows: readonly (readonly [
    what: string,
    namespace: string | undefined,
    files: Readonly<Record<string, string>>,
    sign: string | undefined,
  ])[] = [
    ['a machine made from an image of containers', 'pid:[4026531836]', { '/.dockerenv': '' }, undefined],
    ['docker', 'pid:[4026532000]', { '/.dockerenv': '' }, 'docker'],
    ['podman', 'pid:[4026532000]', { '/run/.containerenv': '' }, 'podman'],
    ['systemd-nspawn', 'pid:[4026532000]', { '/run/systemd/container': 'systemd-nspawn\n' }, 'systemd-nspawn'],
    ['WSL', 'pid:[4026532000]', { '/proc/sys/kernel/osrelease': '5.15.0-microsoft-standard-WSL2\n' }, undefined],
    ['something else', 'pid:[4026532000]', {}, 'it has a namespace of processes of its own'],
    ['a system without namespaces', undefined, {}, undefined],
  ]
  for (const [what, namespace, files, sign] of rows) {
    test(`containerSign() of ${what}`, () => {
      const found = containerSign({
        read: path => files[path],
        kind: path => (files[path] === undefined ? undefined : 'file'),
        link: path => (path === '/proc/self/ns/pid' ? namespace : undefined),
        environment: {},
      })
      assert.equal(found, sign)
    })
  }
})

test('findProgram() looks along PATH first, then where root has its tools', () => {
  const there = ['/usr/sbin/ip', '/opt/bin/ip', '/opt/bin/folder']
  const source = {
    kind: (path: string) => (there.includes(path) ? ('file' as const) : undefined),
    environment: { PATH: 'relative:/opt/bin' },
  }
  assert.equal(findProgram(source, 'ip'), '/opt/bin/ip')
  assert.equal(findProgram({ ...source, environment: {} }, 'ip'), '/usr/sbin/ip')
  assert.equal(findProgram(source, 'nft'), undefined)
})

test('recordedHost() gives files, kinds, folders, links, space and commands as they were', async () => {
  const host = openHost('crowded')
  assert.equal(host.hostName(), 'old-node')
  assert.equal(host.read('/nowhere'), undefined)
  assert.equal(host.kind('/etc/kubernetes/manifests/etcd.yaml'), 'file')
  assert.equal(host.kind('/var/lib/etcd'), 'folder')
  assert.deepEqual(host.list('/var/lib/etcd'), ['member'])
  assert.deepEqual(host.list('/proc/703/fd'), ['5', '6'])
  assert.equal(host.list('/nowhere'), undefined)
  assert.equal(host.link('/proc/703/fd/5'), 'socket:[203]')
  assert.equal(openHost('github-24.04').space('/mnt/x')?.bytes, 74 * 2 ** 30)
  assert.equal(await host.run(['no', 'such', 'command']), undefined)
  assert.equal((await host.run(['iptables', '-S', 'FORWARD']))?.stdout, '-P FORWARD DROP\n')
  assert.ok('fault' in (await host.runtime('unix:///nowhere')))
  assert.equal(host.now().getFullYear(), 2019)
})
