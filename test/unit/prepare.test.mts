import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UsageError } from '../../lib/base/errors.ts'
import type { InitConfig } from '../../lib/base/kubeadm.ts'
import { loadInitConfig } from '../../lib/kubeadm/config/load-config.ts'
import { readKernel } from '../../lib/machine/host/kernel-features.ts'
import type { PreparedChange } from '../../lib/machine/host-change.ts'
import { ITEMS } from '../../lib/phases/prepare/items.ts'
import { chosenItems } from '../../lib/phases/prepare/prepare.ts'
import type { Finding, PrepareContext } from '../../lib/phases/prepare/prepare-item.ts'
import { GOLDEN_FACTS } from '../facts.ts'
import { type MemoryHost, memoryHost } from '../memory-host.ts'

interface Options extends Partial<Pick<PrepareContext, 'live' | 'install' | 'hostName' | 'timeZone'>> {
  readonly asked?: boolean
  readonly config?: string
}

function configOf(text = ''): InitConfig {
  const cluster = 'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n'
  return loadInitConfig({ text: text === '' ? cluster : text, file: 'f.yaml', flags: {} }, GOLDEN_FACTS).config
}

function find(name: string, host: MemoryHost, { asked = true, config, ...options }: Options = {}): Promise<Finding> {
  const item = ITEMS.find(other => other.name === name) ?? assert.fail(name)
  const source = memoryHost(host)
  const context = {
    host: source,
    live: true,
    kernel: readKernel(source),
    install: false,
    ...options,
    config: configOf(config),
  }
  return item.find(context, asked)
}

/** Changes in a short form. */
function short(change: PreparedChange): string {
  switch (change.kind) {
    case 'written':
      return `${change.path} = ${change.after.split('\n').slice(1, -1).join(', ')}`
    case 'lines':
      return `${change.path}: ${change.edits.map(({ before, after }) => `${before} => ${after}`).join('; ')}`
    case 'link':
      return `${change.path} ${change.before} -> ${change.after}`
    case 'setting':
      return `${change.setting} ${change.subject}: ${change.before} -> ${change.after}`
    case 'packages':
      return `${change.manager}: ${change.names.join(' ')}`
  }
}

const KUBELET = 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n'
const PROXY = 'apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n'
const CLUSTER = 'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n'
const INIT = 'apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\n'
const RELEASE = { '/proc/sys/kernel/osrelease': '6.8.0' }
const SWAP = {
  files: {
    '/proc/swaps': 'Filename Type Size Used Priority\n/swap\\040file file 1 0 -2\n/dev/zram0 partition 1 0 100\n',
    '/etc/fstab':
      'UUID=1 / ext4 defaults 0 1\n#/old none swap sw 0 0\n/x none swap noauto 0 0\n/swap\\040file  none  swap  sw 0 0\n',
    '/run/systemd/generator/dev-zram0.swap': '[Swap]\nWhat=/dev/zram0\n',
    '/run/systemd/generator/swap\\x20file.swap': '[Unit]\nSourcePath=/etc/fstab\n',
    '/usr/lib/systemd/system/zramswap.service': '',
  },
  commands: { 'systemctl --root=/ is-enabled zramswap.service': 'enabled\n' },
}
const MODULES = [
  'overlay',
  'br_netfilter',
  'nf_conntrack',
  'ip_vs',
  'ip_vs_rr',
  'ip_vs_wrr',
  'ip_vs_sh',
  'ip_vs_lc',
  'ip_set',
  'xt_set',
  'dummy',
]
const MODULAR = {
  files: {
    ...RELEASE,
    '/proc/modules': 'overlay 1 1 - Live 0x0\n',
    '/lib/modules/6.8.0/modules.dep': MODULES.map(name => `kernel/${name}.ko.zst:`).join('\n'),
    '/usr/sbin/modprobe': '',
  },
}
const ROWS: readonly {
  readonly name: string
  readonly item: string
  readonly host: MemoryHost
  readonly options?: Options
  readonly changes?: readonly string[]
  readonly notes?: RegExp
  readonly faults?: RegExp
}[] = [
  {
    name: 'off, where it was named',
    item: 'swap',
    host: SWAP,
    changes: [
      '/etc/fstab: /swap\\040file  none  swap  sw 0 0 => # kubestep: /swap\\040file  none  swap  sw 0 0',
      '/etc/systemd/system/dev-zram0.swap null -> /dev/null',
      'unit zramswap.service: enabled -> disabled',
      'swap /swap file: on -> off',
      'swap /dev/zram0: on, priority 100 -> off',
    ],
  },
  {
    name: 'stays on for an init',
    item: 'swap',
    host: SWAP,
    options: { asked: false },
    notes: /init sets failSwapOn to false/,
  },
  {
    name: 'off for an init whose kubelet is to fail on swap',
    item: 'swap',
    host: { files: { '/proc/swaps': SWAP.files['/proc/swaps'] } },
    options: { asked: false, config: `${CLUSTER}---\n${KUBELET}failSwapOn: true\n` },
    changes: ['swap /swap file: on -> off', 'swap /dev/zram0: on, priority 100 -> off'],
    notes: /^what turns \/swap file, \/dev\/zram0 on at boot is not known/,
  },
  { name: 'none', item: 'swap', host: { files: { '/proc/swaps': 'Filename Type Size Used Priority\n' } } },
  {
    name: 'enforcing',
    item: 'selinux',
    host: {
      files: { '/sys/fs/selinux/enforce': '1', '/etc/selinux/config': '# SELINUX=disabled\nSELINUX = enforcing\n' },
    },
    changes: ['/etc/selinux/config: SELINUX = enforcing => SELINUX=permissive', 'selinux : Enforcing -> Permissive'],
  },
  {
    name: 'permissive now, enforcing at boot',
    item: 'selinux',
    host: { files: { '/sys/fs/selinux/enforce': '0', '/etc/selinux/config': 'SELINUX=enforcing' } },
    changes: ['/etc/selinux/config: SELINUX=enforcing => SELINUX=permissive'],
  },
  { name: 'not there', item: 'selinux', host: {} },
  {
    name: 'loadable: loaded now and at boot, with the loaded one',
    item: 'modules',
    host: MODULAR,
    changes: [
      'module br_netfilter: not loaded -> loaded',
      'module nf_conntrack: not loaded -> loaded',
      '/etc/modules-load.d/kubestep.conf = overlay, br_netfilter, nf_conntrack',
    ],
  },
  {
    name: 'named by somebody else already',
    item: 'modules',
    host: {
      files: {
        ...MODULAR.files,
        '/etc/modules-load.d/k8s.conf': 'overlay\nbr-netfilter\n',
        '/etc/modules': '# x\nnf_conntrack\n',
      },
    },
    changes: ['module br_netfilter: not loaded -> loaded', 'module nf_conntrack: not loaded -> loaded'],
  },
  {
    name: 'built in',
    item: 'modules',
    host: {
      files: {
        ...RELEASE,
        '/proc/config.gz': 'CONFIG_OVERLAY_FS=y\nCONFIG_BRIDGE_NETFILTER=y\nCONFIG_NF_CONNTRACK=y\n',
      },
    },
  },
  {
    name: 'missing: what will not work',
    item: 'modules',
    host: { files: { ...RELEASE, '/proc/config.gz': 'CONFIG_OVERLAY_FS=y\nCONFIG_NF_CONNTRACK=y\n' } },
    notes: /^this kernel \(6\.8\.0\) lacks br_netfilter \(CONFIG_BRIDGE_NETFILTER\): Services do not work between Pods/,
  },
  {
    name: 'modules of a kernel whose folder is not in this container',
    item: 'modules',
    host: {
      files: {
        ...RELEASE,
        '/sbin/modprobe': '',
        '/boot/config-6.8.0': 'CONFIG_OVERLAY_FS=y\nCONFIG_BRIDGE_NETFILTER=m\nCONFIG_NF_CONNTRACK=y\n',
      },
    },
    notes: /br_netfilter cannot be loaded from here; run "modprobe br_netfilter" where this kernel belongs to/,
  },
  {
    name: 'of a folder with another machine',
    item: 'modules',
    host: {},
    options: { live: false },
    changes: ['/etc/modules-load.d/kubestep.conf = overlay, br_netfilter, nf_conntrack'],
  },
  {
    name: 'with the configured scheduler and the programs',
    item: 'ipvs',
    host: { files: { ...MODULAR.files, '/usr/bin/apt-get': '', '/usr/sbin/ipset': '' } },
    options: { install: true, config: `${CLUSTER}---\n${PROXY}mode: ipvs\nipvs: {scheduler: lc}\n` },
    changes: [
      'apt: ipvsadm',
      'module ip_vs: not loaded -> loaded',
      'module ip_vs_rr: not loaded -> loaded',
      'module ip_vs_wrr: not loaded -> loaded',
      'module ip_vs_sh: not loaded -> loaded',
      'module ip_vs_lc: not loaded -> loaded',
      '/etc/modules-load.d/kubestep-ipvs.conf = ip_vs, ip_vs_rr, ip_vs_wrr, ip_vs_sh, ip_vs_lc',
    ],
  },
  { name: 'of no concern in mode iptables', item: 'ipvs', host: MODULAR, options: { asked: false } },
  {
    name: 'not in this kernel',
    item: 'ipvs',
    host: { files: { ...RELEASE, '/proc/config.gz': 'CONFIG_NF_TABLES=y\n' } },
    faults: /^cannot prepare mode "ipvs" of kube-proxy: this kernel lacks ip_vs \(CONFIG_IP_VS\)/,
  },
  {
    name: 'set now and at boot',
    item: 'sysctls',
    host: { files: { '/proc/sys/net/ipv4/ip_forward': '0\n', '/proc/sys/net/bridge/bridge-nf-call-iptables': '1\n' } },
    changes: [
      'sysctl net.ipv4.ip_forward: 0 -> 1',
      '/etc/sysctl.d/99-kubestep.conf = net.ipv4.ip_forward = 1, net.bridge.bridge-nf-call-iptables = 1',
    ],
  },
  {
    name: 'dual stack; a later file says otherwise',
    item: 'sysctls',
    host: {
      files: {
        ...RELEASE,
        '/proc/config.gz': '# CONFIG_BRIDGE_NETFILTER is not set\nCONFIG_X=y',
        '/proc/sys/net/ipv4/ip_forward': '1\n',
        '/proc/sys/net/ipv6/conf/all/forwarding': '1\n',
        '/etc/sysctl.conf': '#net.ipv4.ip_forward=0\nnet/ipv6/conf/all/forwarding = 0\n',
        '/etc/sysctl.d/10-a.conf': 'net.ipv4.ip_forward = 0\n',
      },
    },
    options: {
      config: `${CLUSTER}networking: {podSubnet: "10.244.0.0/16,fd00::/56", serviceSubnet: "10.96.0.0/12,fd01::/112"}\n`,
    },
    changes: ['/etc/sysctl.d/99-kubestep.conf = net.ipv4.ip_forward = 1, net.ipv6.conf.all.forwarding = 1'],
    notes: /^"\/etc\/sysctl\.conf" sets net\.ipv6\.conf\.all\.forwarding to 0 at boot, after ours; take that line out$/,
  },
  {
    name: 'firewalld: what is not open yet',
    item: 'firewall',
    host: {
      commands: {
        'firewall-cmd --state': 'running',
        'firewall-cmd --list-ports': '22/tcp 6443/tcp\n',
        'firewall-cmd --permanent --list-ports': '6443/tcp 10250/tcp\n',
        'firewall-cmd --zone=trusted --list-sources': '10.244.0.0/16\n',
        'firewall-cmd --permanent --zone=trusted --list-sources': '\n',
      },
    },
    options: { config: `${CLUSTER}networking: {podSubnet: "10.244.0.0/16"}\n` },
    changes: [
      'firewalld-port 2379-2380/tcp: closed -> open',
      'firewalld-port 10250/tcp: open from its next start on -> open',
      'firewalld-port 10256/tcp: closed -> open',
      'firewalld-port 30000-32767/tcp: closed -> open',
      'firewalld-port 30000-32767/udp: closed -> open',
      'firewalld-source 10.244.0.0/16: open until its next start -> open',
    ],
  },
  {
    name: 'firewalld that does not answer',
    item: 'firewall',
    host: { commands: { 'firewall-cmd --state': 'running', 'firewall-cmd --list-ports': 254 } },
    faults: /^cannot open ports: firewall-cmd does not list them/,
  },
  {
    name: 'ufw: external etcd, no kube-proxy, Pods',
    item: 'firewall',
    host: {
      commands: {
        'ufw status': 'Status: active\n',
        'ufw show added':
          "Added user rules (see `ufw status` for running firewall):\nufw allow 22/tcp\nufw allow 10250/tcp comment 'kubelet'\n",
      },
    },
    options: {
      config: `${CLUSTER}networking: {podSubnet: 10.244.0.0/16}\nproxy: {disabled: true}\netcd: {external: {endpoints: ["http://192.0.2.1:2379"]}}\napiServer: {extraArgs: [{name: service-node-port-range, value: "80-90"}]}\n`,
    },
    changes: [
      'ufw allow 6443/tcp: closed -> open',
      'ufw allow 80:90/tcp: closed -> open',
      'ufw allow 80:90/udp: closed -> open',
      'ufw allow from 10.244.0.0/16: closed -> open',
    ],
  },
  {
    name: 'iptables alone: said, not changed',
    item: 'firewall',
    host: {
      commands: {
        'ufw status': 'Status: inactive\n',
        'iptables -S INPUT': '-P INPUT DROP\n-A INPUT -i lo -j ACCEPT\n',
      },
    },
    notes: /-P INPUT DROP\), and no firewall that prepare knows runs: let in 6443\/tcp, 2379-2380\/tcp,/,
  },
  { name: 'none', item: 'firewall', host: { commands: { 'iptables -S INPUT': '-P INPUT ACCEPT\n' } } },
  {
    name: 'unknown names at the end',
    item: 'hosts',
    host: { files: { '/etc/hosts': '127.0.0.1 localhost\n10.0.0.9 vm2 # vm\n' }, commands: { 'getent hosts vm': 2 } },
    options: { config: `${CLUSTER}controlPlaneEndpoint: k8s.example.org:6443\n` },
    changes: ['/etc/hosts: null => 10.0.0.5\tvm k8s.example.org\t# kubestep'],
  },
  {
    name: 'unknown, on a machine that is not connected',
    item: 'hosts',
    host: { files: { '/etc/hosts': '' } },
    options: { asked: false, config: `${INIT}localAPIEndpoint: {advertiseAddress: 192.0.2.1}\n---\n${CLUSTER}` },
    notes:
      /^nothing knows vm, and without a default route there is no address to give; add --apiserver-advertise-address$/,
  },
  { name: 'known in the file', item: 'hosts', host: { files: { '/etc/hosts': '127.0.1.1 VM.local VM\n' } } },
  { name: 'known to a name server', item: 'hosts', host: { commands: { 'getent hosts vm': '10.0.0.5 vm' } } },
  {
    name: 'given',
    item: 'host-name',
    host: { files: { '/etc/hostname': '# x\nold\n', '/proc/sys/kernel/hostname': 'old\n' } },
    options: { hostName: 'node-1' },
    changes: ['/etc/hostname: old => node-1', 'host-name : old -> node-1'],
  },
  {
    name: 'not given',
    item: 'host-name',
    host: {},
    faults: /^cannot set the host name: none is given; add --host-name NAME$/,
  },
  {
    name: 'no name of a node',
    item: 'host-name',
    host: {},
    options: { hostName: 'a_b' },
    faults: /^cannot set the host name to "a_b": a lowercase RFC 1123/,
  },
  {
    name: 'too long',
    item: 'host-name',
    host: {},
    options: { hostName: 'a'.repeat(65) },
    faults: /longer than 64 characters/,
  },
  {
    name: 'present one is no name of a node',
    item: 'host-name',
    host: { files: { '/proc/sys/kernel/hostname': 'My_Box\n' } },
    options: { asked: false },
    notes: /^host name "My_Box" cannot be a node's: .*--host-name$/,
  },
  {
    name: 'given',
    item: 'time-zone',
    host: {
      files: { '/usr/share/zoneinfo/Asia/Shanghai': '', '/etc/timezone': 'Etc/UTC\n' },
      links: { '/etc/localtime': '../usr/share/zoneinfo/Etc/UTC' },
    },
    options: { timeZone: 'Asia/Shanghai' },
    changes: [
      '/etc/localtime ../usr/share/zoneinfo/Etc/UTC -> /usr/share/zoneinfo/Asia/Shanghai',
      '/etc/timezone: Etc/UTC => Asia/Shanghai',
    ],
  },
  {
    name: 'so already',
    item: 'time-zone',
    host: {
      files: { '/usr/share/zoneinfo/Asia/Shanghai': '' },
      links: { '/etc/localtime': '../usr/share/zoneinfo/Asia/Shanghai' },
    },
    options: { timeZone: 'Asia/Shanghai' },
  },
  {
    name: 'mistyped',
    item: 'time-zone',
    host: { folders: ['/usr/share/zoneinfo'] },
    options: { timeZone: 'Asia/Shangai' },
    faults: /^cannot set the time zone to "Asia\/Shangai": there is no such zone; did you mean "Asia\/Shanghai"\?$/,
  },
  {
    name: 'a path that leads elsewhere',
    item: 'time-zone',
    host: { files: { '/usr/share/passwd': '' }, folders: ['/usr/share/zoneinfo'] },
    options: { timeZone: '../passwd' },
    faults: /there is no such zone/,
  },
  {
    name: 'without zones',
    item: 'time-zone',
    host: {},
    options: { timeZone: 'UTC' },
    faults: /install the package tzdata$/,
  },
  {
    name: 'missing, with leave to install',
    item: 'packages',
    host: { files: { '/usr/bin/apt-get': '', '/usr/sbin/iptables': '', '/usr/bin/mount': '', '/usr/bin/umount': '' } },
    options: { install: true, asked: false },
    changes: ['apt: containerd runc iproute2 containernetworking-plugins'],
  },
  {
    name: 'missing, without leave',
    item: 'packages',
    host: { files: { '/usr/bin/yum': '', '/usr/sbin/iptables': '' }, sockets: ['/var/run/containerd/containerd.sock'] },
    options: { asked: false },
    notes:
      /^the machine lacks ip \(.*\), mount \(.*\), cni-plugins \(the Pod network\); add --install, or run "yum install iproute util-linux containernetworking-plugins"$/,
  },
  {
    name: 'named, without leave',
    item: 'packages',
    host: { files: { '/sbin/apk': '' } },
    faults:
      /^cannot install packages: the machine lacks containerd \(.*add --install, or run "apk add containerd containerd-ctr runc iptables iproute2 util-linux cni-plugins"$/,
  },
  {
    name: 'no manager',
    item: 'packages',
    host: {},
    options: { install: true },
    faults: /there is no apt, dnf, yum or apk$/,
  },
]

for (const { name, item, host, options, changes = [], notes, faults } of ROWS) {
  test(`prepare ${item}: ${name}`, async () => {
    const found = await find(item, host, options)
    assert.deepEqual(found.changes.map(short), changes)
    const check = (texts: readonly string[] = [], wanted?: RegExp): void => {
      if (wanted === undefined) assert.deepEqual(texts, [])
      else assert.match(texts.join('\n'), wanted)
    }
    check(found.notes, notes)
    check(found.faults, faults)
  })
}

test('prepare packages: programs that kubeadm of an older release looks for, when named', async () => {
  const files = Object.fromEntries(
    ['apt-get', 'containerd', 'ctr', 'runc', 'iptables', 'ip', 'mount', 'umount'].map(name => [`/usr/bin/${name}`, '']),
  )
  const plugins = Object.fromEntries(
    ['bridge', 'host-local', 'loopback', 'portmap'].map(name => [`/opt/cni/bin/${name}`, '']),
  )
  const host = { files: { ...files, ...plugins } }
  const config = (version: string): string => `${CLUSTER}kubernetesVersion: ${version}\n`
  const installed = async (version: string, asked = true): Promise<string[]> =>
    (await find('packages', host, { asked, install: true, config: config(version) })).changes.map(short)
  assert.deepEqual(await installed('v1.36.2'), [])
  assert.deepEqual(await installed('v1.32.0'), ['apt: ethtool'])
  assert.deepEqual(await installed('v1.26.0'), ['apt: conntrack socat ebtables ethtool'])
  assert.deepEqual(await installed('v1.26.0', false), [])
})

test('chosenItems() takes all by default, names the ones that were asked for, and refuses unknown ones with a hint', () => {
  assert.equal(chosenItems([]).length, ITEMS.length)
  assert.deepEqual(
    chosenItems(['time-zone', 'swap']).map(({ item, asked }) => [item.name, asked]),
    [
      ['time-zone', true],
      ['swap', true],
    ],
  )
  const all = chosenItems(['all', 'swap'])
  assert.equal(all.length, ITEMS.length)
  assert.deepEqual(
    all.filter(({ asked }) => asked).map(({ item }) => item.name),
    ['swap'],
  )
  assert.throws(
    () => chosenItems(['sysctl', 'nothing-like-it']),
    (error: unknown) => {
      assert.ok(error instanceof UsageError)
      assert.match(
        error.message,
        /"sysctl": there is no such item; did you mean "sysctls"\?\nprepare: cannot prepare "nothing-like-it": .*use all or some of packages,/,
      )
      return true
    },
  )
})
