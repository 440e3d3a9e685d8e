/** What preflight says of every recorded host, row by row. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Status } from '../../lib/phases/preflight/check.ts'
import { openHost, verdictsOn } from './preflight-hosts.ts'

const HOSTS = [
  'github-22.04',
  'github-24.04',
  'debian-12-no-systemd',
  'debian-13',
  'rhel-9',
  'centos-7',
  'alpine-3.22',
  'container',
  'crowded',
] as const

const LETTERS: Readonly<Record<Status, string>> = {
  ok: 'o',
  error: 'E',
  warning: 'W',
  handled: 'h',
  unknown: 'u',
  skipped: 's',
}

/** For Kubernetes 1.36 and no flags: a letter per host, in the order above; `-` where a check does not apply. */
const MATRIX: Readonly<Record<string, string>> = {
  IsPrivilegedUser: 'o o o o o o o o o',
  NumCPU: 'o o o o o o E o o',
  Mem: 'o o o o o o o o E',
  Swap: 'h h o h o o o o h',
  Container: 'o o o o o o o E o',
  DiskSpace: 'W W o o o o W o E',
  InotifyLimits: 'o o o o o W W o W',
  OpenFilesLimit: 'o o o o o o W o o',
  Clock: 'o o o o o W o o E',
  ExistingCluster: 'o o o o o o o o o',
  SystemVerification: 'o o o o W W o u E',
  Cgroups: 'o o h o o h o o o',
  Overlay: 'o o o o o o o E o',
  KernelFeatures: 'o o o o o o o u o',
  ProxyMode: 'o o o o o o o u E',
  SELinux: 'o o o o W o o o o',
  AppArmor: 'o o o o o o o o o',
  RunnerImage: 'o o o o o o o o W',
  CRI: 'h h h E o o E E o',
  CgroupDriver: 'o o h o o h h h h',
  CNIConfig: 'o o o o h o o o h',
  AdvertiseAddress: 'o o o o o o o o o',
  Hostname: 'o o o o h o o o h',
  'FileContent--proc-sys-net-ipv4-ip_forward': 'o o h h o o h o o',
  'FileContent--proc-sys-net-bridge-bridge-nf-call-iptables': 'h h o h o h h u o',
  HTTPProxy: 'o o o o o o o o o',
  HTTPProxyCIDR: 'o o o o o o o o W',
  Firewalld: 'o o o o h o o o o',
  InputPolicy: 'o o - - - - - - Wh',
  NetworkRanges: 'o o o o o o o o EWEEEWE',
  ResolvConf: 'h h o o o o o E E',
  KubernetesVersion: 'o o o o o o o o o',
  KubeletVersion: 'h h h h o h h h h',
  'Service-kubelet': 'o o h o h o h h E',
  ImagePull: 's s s s s s s s s',
  'Port-6443': 'o o o o o o o o E',
  'Port-10259': 'o o o o o o o o o',
  'Port-10257': 'o o o o o o o o o',
  'Port-10250': 'o o o o o o o o E',
  'Port-10248': 'o o o o o o o o o',
  'Port-2379': 'o o o o o o o o E',
  'Port-2380': 'o o o o o o o o o',
  'Port-2381': 'o o o o o o o o o',
  'FileAvailable--etc-kubernetes-manifests-kube-apiserver.yaml': 'o o o o o o o o o',
  'FileAvailable--etc-kubernetes-manifests-kube-controller-manager.yaml': 'o o o o o o o o o',
  'FileAvailable--etc-kubernetes-manifests-kube-scheduler.yaml': 'o o o o o o o o o',
  'FileAvailable--etc-kubernetes-manifests-etcd.yaml': 'o o o o o o o o E',
  'DirAvailable--var-lib-etcd': 'o o o o o o o o E',
  'DirAvailable--etc-kubernetes-manifests': 'o o o o o o o o E',
  'FileExisting-iptables': 'o o o E o o E E o',
  'FileExisting-ip': 'o o o o o o o E o',
  'FileExisting-mount': 'o o o o o o o o o',
  'FileExisting-losetup': 'o o o o o o o o W',
  'FileExisting-cp': 'o o o o o o o o o',
  ContainerRuntimeVersion: 'h o h - o h - - o',
  ContainerdConfig: 'h h o - - o - - o',
  ForwardPolicy: 'h h o - o o - - h',
}

for (const [index, host] of HOSTS.entries()) {
  test(`preflight() on ${host}`, async () => {
    const rows = await verdictsOn(openHost(host))
    const said: Record<string, string> = {}
    for (const { name, status } of rows) said[name] = `${said[name] ?? ''}${LETTERS[status]}`
    const expected = Object.fromEntries(
      Object.entries(MATRIX)
        .map(([name, letters]) => [name, letters.split(' ')[index] ?? ''])
        .filter(([, letter]) => letter !== '-'),
    )
    assert.deepEqual(said, expected)
  })
}

/** What was found, in words that people can act on. */
const FOUND: readonly (readonly [host: (typeof HOSTS)[number], name: string, found: RegExp, fix?: RegExp])[] = [
  ['github-24.04', 'CRI', /no runtime serves CRI/, /init starts \/usr\/bin\/containerd 2\.2\.1 on a socket of its own/],
  ['github-24.04', 'ContainerdConfig', /disabled_plugins/, /init leaves it alone/],
  ['github-24.04', 'DiskSpace', /^10\.0 GiB of 72\.0 GiB free for images .* below 15 %$/, /--profile ci/],
  ['github-24.04', 'Swap', /^on: \/mnt\/swapfile$/, /init sets failSwapOn to false/],
  ['github-24.04', 'ResolvConf', /names 127\.0\.0\.53/, /\/run\/systemd\/resolve\/resolv\.conf/],
  ['github-24.04', 'RunnerImage', /^ubuntu24 20260816\.280\.1: nothing known against it$/],
  ['github-22.04', 'ContainerRuntimeVersion', /^containerd 1\.7\.27 does not tell its cgroup driver$/],
  ['debian-12-no-systemd', 'Cgroups', /^v1, which v1\.36\.2 refuses by default$/, /failCgroupV1 to false/],
  ['debian-12-no-systemd', 'CgroupDriver', /systemd does not run here/, /cgroupfs/],
  ['debian-13', 'CRI', /lacks containerd, ctr, runc/, /install containerd and runc, or add --install/],
  ['debian-13', 'FileExisting-iptables', /iptables is not there/, /--install/],
  ['rhel-9', 'CRI', /^cri-o 1\.33\.1 at unix:\/\/\/var\/run\/crio\/crio\.sock$/],
  ['rhel-9', 'KubeletVersion', /^\/usr\/bin\/kubelet is 1\.33$/],
  ['rhel-9', 'SELinux', /^enforcing$/, /prepare/],
  ['rhel-9', 'Firewalld', /^active$/, /6443 and 10250/],
  ['rhel-9', 'SystemVerification', /^Linux 5\.14\.0-570/, /5\.10, 5\.15 or 6\.x/],
  ['centos-7', 'CgroupDriver', /the runtime uses cgroupfs/],
  ['alpine-3.22', 'NumCPU', /^1 processor$/],
  ['alpine-3.22', 'OpenFilesLimit', /^4096$/],
  ['container', 'Container', /docker; it lacks CAP_SYS_ADMIN and a writable \/proc\/sys/, /--privileged/],
  ['container', 'Overlay', /would itself be on an overlay/, /mount a volume at "\/var\/lib\/kubestep"/],
  ['container', 'ResolvConf', /127\.0\.0\.11/, /resolvConf/],
  ['crowded', 'Clock', /^2019-04-01T00:00:10, which is before this program was written/],
  ['crowded', 'Port-6443', /^kube-apiserver \(process 701\) on every address has/, /--apiserver-bind-port/],
  ['crowded', 'Port-2379', /^etcd \(process 703\) on/],
  [
    'crowded',
    'NetworkRanges',
    /has addresses that this machine reaches by 10\.244\.8\.0\/24 \(br-4f2\)$/,
    /--pod-network/,
  ],
  [
    'crowded',
    'NetworkRanges',
    /Services.* hides a part of what this machine reaches by 10\.0\.0\.0\/8 \(tun0\)$/,
    /--service-cidr/,
  ],
  ['crowded', 'NetworkRanges', /Services, 10\.96\.0\.0\/12, has this machine's address 10\.96\.0\.4$/],
  ['crowded', 'NetworkRanges', /Services, 10\.96\.0\.0\/12, has the name server 10\.96\.0\.10$/],
  ['crowded', 'DirAvailable--etc-kubernetes-manifests', /holds haproxy\.yaml, which the kubelet would run$/],
  ['crowded', 'ProxyMode', /lacks xt_statistic/, /nftables or ipvs/],
  ['crowded', 'HTTPProxyCIDR', /^10\.244\.0\.0\/16 is reached through proxy\.example:3128$/, /NO_PROXY/],
  ['crowded', 'SystemVerification', /control groups lack memory/, /cgroup_enable=memory/],
]

describe('preflight() says what it found and what fixes it', () => {
  for (const [host, name, found, fix] of FOUND) {
    test(`${name} on ${host}: ${found}`, async () => {
      const rows = (await verdictsOn(openHost(host))).filter(row => row.name === name)
      const row = rows.find(other => found.test(other.found))
      assert.ok(row, `it says: ${rows.map(other => other.found).join(' | ')}`)
      if (fix !== undefined) assert.match(row.fix ?? '', fix)
    })
  }
})
