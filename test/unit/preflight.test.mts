import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { KubestepError } from '../../lib/base/errors.ts'
import type { Flags } from '../../lib/cli/options.ts'
import type { HostSource } from '../../lib/machine/host/host-source.ts'
import { CHECKS, ignoredNames, knownNames } from '../../lib/phases/preflight/checks.ts'
import type { Row } from '../../lib/phases/preflight/run-checks.ts'
import { reportOf, summary, tableLines } from '../../lib/phases/preflight/verdict-text.ts'
import { openHost, verdictsOn, wantedOn } from './preflight-hosts.ts'

const INIT = 'apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\n'
const KUBELET = 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n'
const CLUSTER = 'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n'

/** A host with other files. */
function withFiles(host: string, files: Readonly<Record<string, string>>): HostSource {
  const source = openHost(host)
  return { ...source, read: path => files[path] ?? source.read(path) }
}

const STATUS = '/proc/self/status'
const KERNEL = '/proc/sys/kernel/osrelease'

const NO_RESOURCE = 'Uid:\t0\t0\t0\t0\nCapEff:\t000001fffeffffff\nCpus_allowed_list:\t0-1\n'
const lowering: HostSource['runtime'] = async () => ({
  name: 'containerd',
  version: '1.6.33',
  cri: 'v1',
  restrictsOomScore: false,
  cniConfDir: '/etc/cni/net.d',
})

interface Case {
  readonly what: string
  readonly host: HostSource
  readonly flags?: Flags
  readonly config?: string
  readonly name: string
  /** Status and the beginning of what was found; undefined: the check does not apply. */
  readonly says: string | undefined
}

const CASES: readonly Case[] = [
  {
    what: 'an ordinary user',
    host: withFiles('debian-13', { [STATUS]: 'Uid:\t1000\t1000\t1000\t1000\nCapEff:\t0\nCpus_allowed_list:\t0-1\n' }),
    name: 'IsPrivilegedUser',
    says: 'error user 1000 is not root',
  },
  {
    what: 'an ordinary user, before a socket that does not answer',
    host: withFiles('github-24.04', { [STATUS]: 'Uid:\t1001\t1001\t1001\t1001\nCapEff:\t0\n' }),
    name: 'CRI',
    says: 'unknown unix:///var/run/containerd/containerd.sock may not be asked',
  },
  {
    what: 'an affinity mask with holes',
    host: withFiles('debian-13', { [STATUS]: 'Uid:\t0\t0\t0\t0\nCpus_allowed_list:\t0,2-4,8\n' }),
    name: 'NumCPU',
    says: 'ok 5 processors',
  },
  {
    what: 'a release whose kubeadm does not look',
    host: openHost('crowded'),
    flags: { 'kubernetes-version': 'v1.18.3' },
    name: 'Mem',
    says: undefined,
  },
  {
    what: 'swap that the user wants refused',
    host: openHost('debian-13'),
    config: `${INIT}---\n${KUBELET}failSwapOn: true\n`,
    name: 'Swap',
    says: 'error on: /dev/sda5, and failSwapOn is true',
  },
  {
    what: 'the ci profile, which evicts nothing',
    host: openHost('github-24.04'),
    flags: { profile: 'ci' },
    name: 'DiskSpace',
    says: 'ok 10.0 GiB free',
  },
  {
    what: 'evictionHard without the signal',
    host: openHost('github-24.04'),
    config: `${INIT}---\n${KUBELET}evictionHard: {memory.available: 100Mi}\n`,
    name: 'DiskSpace',
    says: 'ok 10.0 GiB free',
  },
  {
    what: 'images of a runtime that is there, on another disk',
    host: {
      ...openHost('rhel-9'),
      kind: path => (path.startsWith('/var/lib/containers') ? 'folder' : openHost('rhel-9').kind(path)),
      space: path => (path.startsWith('/var/lib/containers') ? { bytes: 2 ** 33, freeBytes: 2 ** 30 } : undefined),
    },
    name: 'DiskSpace',
    says: 'error 1.0 GiB of 8.0 GiB free for images in "/var/lib/containers/storage"',
  },
  {
    what: 'a kernel of 2013, before 1.32',
    host: openHost('centos-7'),
    flags: { 'kubernetes-version': 'v1.30.2' },
    name: 'SystemVerification',
    says: 'ok Linux 3.10.0',
  },
  {
    what: 'a kernel of 2013, in 1.33',
    host: openHost('centos-7'),
    flags: { 'kubernetes-version': 'v1.33.1' },
    name: 'SystemVerification',
    says: 'error Linux 3.10.0',
  },
  {
    what: 'no kernel to be seen',
    host: { ...openHost('debian-13'), read: path => (path === KERNEL ? undefined : openHost('debian-13').read(path)) },
    name: 'SystemVerification',
    says: 'error this is not Linux',
  },
  {
    what: 'a runtime that is there, in a container',
    host: {
      ...openHost('container'),
      runtime: async () => ({ name: 'containerd', version: 'v2.1.4', cri: 'v1', cniConfDir: '/etc/cni/net.d' }),
    },
    flags: { runtime: 'unix:///run/containerd/containerd.sock' },
    name: 'Overlay',
    says: 'unknown whether the kernel has overlayfs cannot be seen',
  },
  {
    what: 'cgroup v1 that the user wants refused',
    host: openHost('centos-7'),
    config: `${INIT}---\n${KUBELET}failCgroupV1: true\n`,
    name: 'Cgroups',
    says: 'error v1, and failCgroupV1 is true',
  },
  {
    what: 'cgroup v1 before 1.35',
    host: openHost('centos-7'),
    flags: { 'kubernetes-version': 'v1.34.1' },
    name: 'Cgroups',
    says: 'ok v1',
  },
  {
    what: 'cgroup v2 before kubelets knew it',
    host: openHost('debian-13'),
    flags: { 'kubernetes-version': 'v1.18.3' },
    name: 'Cgroups',
    says: 'error v2, which v1.18.3 does not know',
  },
  {
    what: 'a driver that does not run',
    host: openHost('debian-12-no-systemd'),
    config: `${INIT}---\n${KUBELET}cgroupDriver: systemd\n`,
    name: 'CgroupDriver',
    says: 'error cgroupDriver is systemd in the KubeletConfiguration, and systemd does not run here',
  },
  {
    what: 'a driver that the runtime does not use',
    host: openHost('centos-7'),
    config: `${INIT}---\n${KUBELET}cgroupDriver: systemd\n`,
    name: 'CgroupDriver',
    says: 'error the runtime uses cgroupfs, and cgroupDriver is systemd',
  },
  {
    what: 'packages that init may install',
    host: openHost('debian-13'),
    flags: { install: true },
    name: 'CRI',
    says: 'handled no runtime serves CRI, and for one of its own init lacks containerd, ctr, runc',
  },
  {
    what: 'a runtime of our own beside one that serves',
    host: openHost('rhel-9'),
    flags: { runtime: 'private' },
    name: 'CRI',
    says: 'error no runtime serves CRI, and for one of its own init lacks containerd, ctr',
  },
  {
    what: 'a socket that was asked for and does not serve',
    host: openHost('github-24.04'),
    flags: { runtime: '/var/run/containerd/containerd.sock' },
    name: 'CRI',
    says: 'error cannot use "unix:///var/run/containerd/containerd.sock": it does not serve CRI',
  },
  {
    what: 'the configuration of such a socket',
    host: openHost('github-24.04'),
    flags: { 'cri-socket': 'unix:///var/run/containerd/containerd.sock' },
    name: 'ContainerdConfig',
    says: 'error /etc/containerd/config.toml has cri in disabled_plugins',
  },
  {
    what: 'containerd 2 under Kubernetes 1.20',
    host: openHost('crowded'),
    flags: { 'kubernetes-version': 'v1.20.2' },
    name: 'CRI',
    says: 'error containerd v2.1.4 serves CRI v1, and Kubernetes 1.20 needs v1alpha2',
  },
  {
    what: 'containerd 1.6 under Kubernetes 1.20',
    host: openHost('centos-7'),
    flags: { 'kubernetes-version': 'v1.20.2' },
    name: 'CRI',
    says: 'ok containerd 1.6.33',
  },
  {
    what: 'a runtime that lowers OOM scores, where root may not',
    host: { ...withFiles('centos-7', { [STATUS]: NO_RESOURCE }), runtime: lowering },
    flags: { runtime: '/run/containerd/containerd.sock' },
    name: 'CRI',
    says: 'error containerd 1.6.33 at unix:///run/containerd/containerd.sock gives static Pods a low OOM score',
  },
  {
    what: 'such a runtime that nobody asked for',
    host: { ...withFiles('centos-7', { [STATUS]: NO_RESOURCE }), runtime: lowering },
    name: 'CRI',
    says: 'handled the runtime that serves CRI cannot start static Pods here: no CAP_SYS_RESOURCE',
  },
  {
    what: 'such a runtime, where root may',
    host: { ...openHost('centos-7'), runtime: lowering },
    name: 'CRI',
    says: 'ok containerd 1.6.33',
  },
  {
    what: 'CRI v1alpha2 under Kubernetes 1.36',
    host: {
      ...openHost('centos-7'),
      runtime: async () => ({ name: 'containerd', version: '1.5.18', cri: 'v1alpha2', cniConfDir: '/etc/cni/net.d' }),
    },
    name: 'CRI',
    says: 'error containerd 1.5.18 serves CRI v1alpha2, and Kubernetes 1.36 needs v1',
  },
  {
    what: 'a release whose kubeadm does not ask for the driver',
    host: openHost('centos-7'),
    flags: { 'kubernetes-version': 'v1.34.1' },
    name: 'ContainerRuntimeVersion',
    says: undefined,
  },
  {
    what: 'a mode of kube-proxy that the release lacks',
    host: openHost('debian-13'),
    config: `${CLUSTER}kubernetesVersion: v1.27.4\n---\napiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nmode: nftables\n`,
    name: 'ProxyMode',
    says: 'error cannot run kube-proxy in mode "nftables"',
  },
  {
    what: 'programs of a mode of kube-proxy',
    host: openHost('rhel-9'),
    config: `${CLUSTER}---\napiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nmode: ipvs\n`,
    name: 'FileExisting-ipset',
    says: 'error ipset is not there',
  },
  {
    what: 'a kernel that is known to break IPv6, with IPv6',
    host: withFiles('github-22.04', { [KERNEL]: '6.8.0-1025-azure\n' }),
    flags: {
      'pod-network-cidr': '10.244.0.0/16,fd00:10:244::/56',
      'service-cidr': '10.96.0.0/16,fd00:10:96::/112',
    },
    name: 'RunnerImage',
    says: 'warning Linux 6.8.0-1025-azure: ip6tables does not know --set-xmark',
  },
  {
    what: 'that kernel without IPv6',
    host: withFiles('github-22.04', { [KERNEL]: '6.8.0-1025-azure\n' }),
    name: 'RunnerImage',
    says: 'ok ubuntu22 20260816.255.1: nothing known against it',
  },
  {
    what: 'forwarding of IPv6, where IPv6 is used',
    host: openHost('debian-13'),
    flags: { 'pod-network-cidr': '10.244.0.0/16,fd00:10:244::/56', 'service-cidr': '10.96.0.0/16,fd00:10:96::/112' },
    name: 'FileContent--proc-sys-net-ipv6-conf-default-forwarding',
    says: 'handled 0',
  },
  {
    what: 'ranges that overlap each other',
    host: openHost('debian-13'),
    flags: { 'pod-network-cidr': '10.96.0.0/16' },
    name: 'NetworkRanges',
    says: 'error the range of Pods, 10.96.0.0/16, has addresses of the range of Services, 10.96.0.0/12',
  },
  {
    what: 'a network of the user, whose range nobody knows',
    host: openHost('crowded'),
    flags: { cni: 'none', 'service-cidr': '172.30.0.0/16', 'apiserver-advertise-address': '10.96.0.4' },
    name: 'NetworkRanges',
    says: 'ok Services 172.30.0.0/16',
  },
  {
    what: 'proxies under the ci profile',
    host: openHost('crowded'),
    flags: { profile: 'ci' },
    name: 'HTTPProxyCIDR',
    says: 'handled 10.244.0.0/16 is reached through proxy.example:3128',
  },
  {
    what: 'a network of the user, under a policy to drop',
    host: openHost('github-24.04'),
    flags: { cni: 'none' },
    name: 'ForwardPolicy',
    says: 'warning DROP',
  },
  {
    what: 'a resolv.conf that the user names',
    host: openHost('container'),
    config: `${INIT}---\n${KUBELET}resolvConf: /run/resolv.conf\n`,
    name: 'ResolvConf',
    says: 'ok the KubeletConfiguration names "/run/resolv.conf"',
  },
  {
    what: 'no name server at all',
    host: withFiles('debian-13', { '/etc/resolv.conf': '# none\n' }),
    name: 'ResolvConf',
    says: 'error /etc/resolv.conf names no server',
  },
  {
    what: 'manifests of phases that are skipped',
    host: openHost('crowded'),
    flags: { 'skip-phases': 'etcd' },
    name: 'FileAvailable--etc-kubernetes-manifests-etcd.yaml',
    says: undefined,
  },
  {
    what: 'certificates of an external etcd',
    host: openHost('debian-13'),
    config: `${CLUSTER}etcd: {external: {endpoints: ['https://192.0.2.9:2379'], caFile: /etc/etcd/ca.crt, certFile: /etc/etcd/c.crt, keyFile: /etc/etcd/c.key}}\n`,
    name: 'ExternalEtcdClientCertificates',
    says: 'error "/etc/etcd/ca.crt" is not there',
  },
  {
    what: 'ports of an external etcd',
    host: openHost('crowded'),
    config: `${CLUSTER}etcd: {external: {endpoints: ['https://192.0.2.9:2379']}}\n`,
    name: 'Port-2379',
    says: undefined,
  },
  {
    what: 'another port for the API server',
    host: openHost('crowded'),
    flags: { 'apiserver-bind-port': '7443' },
    name: 'Port-7443',
    says: 'ok free for the API server',
  },
  {
    what: 'a port that is bound, by nobody who listens',
    host: { ...openHost('debian-13'), isBound: async port => port === 10257 },
    name: 'Port-10257',
    says: 'error something holds the port of the controller manager',
  },
  {
    what: 'folders that cannot be read',
    host: {
      ...openHost('debian-13'),
      kind: path => (path === '/var/lib/etcd' ? 'folder' : openHost('debian-13').kind(path)),
    },
    name: 'DirAvailable--var-lib-etcd',
    says: 'unknown "/var/lib/etcd" cannot be read',
  },
  {
    what: 'a cluster of kubestep',
    host: withKind('debian-13', '/var/lib/kubestep/ready.json'),
    name: 'ExistingCluster',
    says: 'error a cluster of kubestep is up on this machine',
  },
  {
    what: 'a release newer than this program',
    host: openHost('debian-13'),
    flags: { 'kubernetes-version': 'v1.99.0' },
    name: 'KubernetesVersion',
    says: 'warning 1.99 is newer than this program',
  },
]

function withKind(host: string, path: string): HostSource {
  const source = openHost(host)
  return { ...source, kind: other => (other === path ? 'file' : source.kind(other)) }
}

describe('preflight()', () => {
  for (const { what, host, flags, config, name, says } of CASES) {
    test(`${name} with ${what}`, async () => {
      const rows = (await verdictsOn(host, flags, config)).filter(row => row.name === name)
      if (says === undefined) return assert.deepEqual(rows, [])
      const said = rows.map(({ status, found }) => `${status} ${found}`)
      assert.ok(
        said.some(text => text.startsWith(says)),
        `it says: ${said.join(' | ')}`,
      )
    })
  }
})

// Seen in runs of the real kubeadm with an empty PATH.
const PROGRAMS: readonly (readonly [version: string, programs: string])[] = [
  ['v1.18.3', 'conntrack crictl ebtables ethtool ip iptables mount nsenter socat tc touch'],
  ['v1.30.0', 'conntrack crictl ebtables ethtool ip iptables mount nsenter socat tc touch'],
  ['v1.36.2', 'cp losetup mount'],
]
for (const [version, programs] of PROGRAMS) {
  test(`preflight() looks for the programs that kubeadm ${version} looks for`, async () => {
    const rows = await verdictsOn(openHost('container'), { 'kubernetes-version': version })
    const looked = rows.flatMap(({ name }) => /^FileExisting-(.+)/.exec(name)?.[1] ?? [])
    for (const program of programs.split(' ')) assert.ok(looked.includes(program), `${program} is not looked for`)
    // What kubestep itself runs comes on top.
    const added = looked.filter(program => !programs.split(' ').includes(program))
    assert.deepEqual(added, version === 'v1.36.2' ? ['iptables', 'ip'] : [])
  })
}

test('CHECKS have one row per name, and a reason each', () => {
  const names = CHECKS.map(({ name }) => name)
  assert.deepEqual(names, [...new Set(names)])
  for (const { name, why, about } of CHECKS) assert.ok(why !== '' && about !== '', name)
})

test('knownNames() holds names of every release, of this configuration and of joining', () => {
  const known = knownNames(wantedOn(openHost('debian-13'), { 'apiserver-bind-port': '7443' }))
  for (const name of [
    'NumCPU',
    'Port-6443',
    'Port-7443',
    'FileExisting-crictl',
    'FileContent--proc-sys-net-bridge-bridge-nf-call-iptables',
    'FileAvailable--etc-kubernetes-kubelet.conf',
    'DirAvailable--etc-kubernetes-manifests',
    'IsDockerSystemdCheck',
    'DiskSpace',
  ]) {
    assert.ok(known.includes(name), name)
  }
})

test('ignoredNames() takes any case, and refuses what no check is called', () => {
  const wanted = wantedOn(openHost('debian-13'))
  assert.deepEqual([...ignoredNames(['NUMcpu', 'all'], wanted)], ['numcpu', 'all'])
  assert.throws(
    () => ignoredNames(['NumCPUs', 'Mem'], wanted),
    (error: unknown) => {
      assert.ok(error instanceof KubestepError)
      assert.match(
        error.message,
        /^preflight: cannot ignore "NumCPUs": there is no such check; did you mean "NumCPU"\?$/m,
      )
      assert.match(error.message, /^preflight: there are all, IsPrivilegedUser, /m)
      return true
    },
  )
})

test('preflight() counts errors that are to be ignored as warnings, by flag and by configuration', async () => {
  const statusOf = (rows: readonly Row[], name: string): unknown => {
    const row = rows.find(other => other.name === name)
    return [row?.status, row?.ignored]
  }
  const byFlag = await verdictsOn(openHost('alpine-3.22'), { 'ignore-preflight-errors': 'numcpu' })
  assert.deepEqual(statusOf(byFlag, 'NumCPU'), ['warning', true])
  assert.deepEqual(statusOf(byFlag, 'CRI'), ['error', undefined])
  const config = `${INIT}nodeRegistration: {ignorePreflightErrors: [CRI]}\n`
  assert.deepEqual(statusOf(await verdictsOn(openHost('alpine-3.22'), {}, config), 'CRI'), ['warning', true])
  const all = await verdictsOn(openHost('crowded'), { 'ignore-preflight-errors': 'all' })
  assert.deepEqual(
    all.filter(({ status }) => status === 'error'),
    [],
  )
  await assert.rejects(
    verdictsOn(openHost('crowded'), {}, `${INIT}nodeRegistration: {ignorePreflightErrors: [Nmem]}\n`),
  )
})

const ROWS: readonly Row[] = [
  { name: 'NumCPU', status: 'ok', found: '2 processors', why: 'w' },
  { name: 'Port-1', status: 'error', found: 'a has it', why: 'ports', fix: 'stop a' },
  { name: 'Port-2', status: 'error', found: 'b has it', why: 'ports', fix: 'stop b' },
  { name: 'Port-3', status: 'ok', found: 'free', why: 'ports' },
  { name: 'Port-4', status: 'ok', found: 'free', why: 'ports' },
  { name: 'Swap', status: 'handled', found: 'on', why: 'w', fix: 'init copes' },
  { name: 'Mem', status: 'warning', ignored: true, found: '1 MB', why: 'memory', fix: 'more' },
]

test('tableLines() explains what needs attention, and sums up the rest', () => {
  assert.deepEqual(tableLines(ROWS, { color: false, all: false }), [
    'ERROR    Port-1                    a has it',
    '                                   fix: stop a',
    'ERROR    Port-2                    b has it',
    '                                   fix: stop b',
    '                                   why:  ports',
    'WARNING  Mem                       1 MB (ignored)',
    '                                   fix: more',
    '                                   why:  memory',
    'handled  Swap                      on; init copes',
    'ok       NumCPU, Port-{3,4}',
    '2 errors, 1 warning, 1 that init deals with, 3 in order',
  ])
})

test('tableLines() shows every row on request, and colors on a terminal', () => {
  const lines = tableLines(ROWS, { color: true, all: true })
  assert.ok(lines.includes('\u001b[32mok       \u001b[0mNumCPU                    2 processors'))
  assert.ok(!lines.some(line => line.includes('Port-{')))
  const long = `FileAvailable-${'x'.repeat(30)}`
  assert.deepEqual(
    tableLines([{ name: long, status: 'unknown', found: 'closed', why: 'w' }], { color: false, all: false }).slice(
      0,
      2,
    ),
    [`unknown  ${long}`, `${' '.repeat(35)}closed`],
  )
})

test('summary() always names errors', () => {
  assert.equal(summary([]), '0 errors')
  assert.equal(summary(ROWS.slice(1, 2)), '1 error')
})

test('reportOf() counts by status', () => {
  const report = reportOf(ROWS, wantedOn(openHost('debian-13')))
  assert.equal(report.kubernetesVersion, 'v1.36.2')
  assert.equal(report.passed, false)
  assert.deepEqual(report.counts, { error: 2, warning: 1, unknown: 0, handled: 1, skipped: 0, ok: 3 })
})
