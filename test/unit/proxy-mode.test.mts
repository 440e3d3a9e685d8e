import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KubestepError } from '../../lib/base/errors.ts'
import { parseVersion, type Version } from '../../lib/base/version.ts'
import { loadInitConfig } from '../../lib/kubeadm/config/load-config.ts'
import { featureOf, featureState, kernelOptions, readKernel } from '../../lib/machine/host/kernel-features.ts'
import { listedModules, loadedModules } from '../../lib/machine/host/kernel-modules.ts'
import { checkProxyMode, modeFault, PROXY_MODES, proxyModeName } from '../../lib/machine/network/proxy-mode.ts'
import { GOLDEN_FACTS } from '../facts.ts'
import { type MemoryHost, memoryHost } from '../memory-host.ts'

function version(text: string): Version {
  return parseVersion(text) ?? assert.fail(text)
}

const FAULTS: readonly (readonly [document: object, version: string, fault: RegExp | undefined])[] = [
  [{}, '1.18.0', undefined],
  [{ mode: '' }, '1.36.2', undefined],
  [{ mode: 'iptables' }, '1.36.2', undefined],
  [{ mode: 'ipvs' }, '1.36.2', undefined],
  [{ mode: 'nftables' }, '1.33.0', undefined],
  [{ mode: 'nftables' }, '1.31.0', undefined],
  [
    { mode: 'nftables', featureGates: { NFTablesProxyMode: false } },
    '1.31.0',
    /featureGates\.NFTablesProxyMode to true/,
  ],
  [{ mode: 'nftables' }, '1.30.0', /v1\.30\.0 has it behind a feature gate; .* or use iptables or ipvs$/],
  [{ mode: 'nftables', featureGates: { NFTablesProxyMode: true } }, '1.29.0', undefined],
  [{ mode: 'nftables' }, '1.28.9', /came with Kubernetes 1\.29 and this is v1\.28\.9; use iptables or ipvs$/],
  [{ mode: 'userspace' }, '1.25.0', undefined],
  [{ mode: 'userspace' }, '1.26.0', /went with Kubernetes 1\.26/],
  [{ mode: 'ipvz' }, '1.36.2', /no such mode; did you mean "ipvs"\? There are iptables, nftables, ipvs$/],
  [{ mode: 'ebpf' }, '1.36.2', /no such mode; use iptables, nftables or ipvs$/],
  [{ mode: 'kernelspace' }, '1.20.2', /no such mode; use iptables, ipvs or userspace$/],
]

for (const [document, release, fault] of FAULTS) {
  test(`modeFault() of ${JSON.stringify(document)} in ${release}`, () => {
    const found = modeFault(document as never, version(release))
    if (fault === undefined) assert.equal(found, undefined)
    else assert.match(found ?? '', fault)
  })
}

/** All options that the modes ask for, as a kernel's configuration has them. */
function configWithout(...missing: readonly string[]): string {
  const names = PROXY_MODES.flatMap(({ modules }) => modules.flat())
  return [...names, 'ip_vs_rr', 'ip_vs_lc']
    .map(name => featureOf(name).option)
    .map(option => (missing.includes(option) ? `# CONFIG_${option} is not set` : `CONFIG_${option}=y`))
    .join('\n')
}

const RELEASE = '/proc/sys/kernel/osrelease'

const KERNELS: readonly {
  readonly name: string
  readonly host: MemoryHost
  readonly mode: object
  readonly error?: RegExp
}[] = [
  { name: 'nothing is known: it is tried', host: {}, mode: { mode: 'ipvs' } },
  {
    name: 'has all',
    host: { files: { [RELEASE]: '6.8.0', '/proc/config.gz': configWithout() } },
    mode: { mode: 'ipvs' },
  },
  {
    name: 'lacks ip_vs and dummy',
    host: { files: { [RELEASE]: '6.8.0', '/proc/config.gz': configWithout('IP_VS', 'DUMMY') } },
    mode: { mode: 'ipvs' },
    error:
      /^cannot run kube-proxy in mode "ipvs": this kernel lacks ip_vs \(CONFIG_IP_VS\), dummy \(CONFIG_DUMMY\); set mode to iptables or nftables in the KubeProxyConfiguration$/,
  },
  {
    name: 'lacks the configured scheduler',
    host: { files: { [RELEASE]: '6.8.0', '/proc/config.gz': configWithout('IP_VS_LC') } },
    mode: { mode: 'ipvs', ipvs: { scheduler: 'lc' } },
    error: /lacks ip_vs_lc \(CONFIG_IP_VS_LC\)/,
  },
  {
    name: 'is too old for nftables',
    host: { files: { [RELEASE]: '5.10.0-28-amd64\n', '/boot/config-5.10.0-28-amd64': configWithout() } },
    mode: { mode: 'nftables' },
    error: /it needs Linux 5\.13 or later and this is 5\.10\.0-28-amd64; set mode to iptables or ipvs/,
  },
  {
    name: 'has one of two ways for iptables',
    host: { files: { [RELEASE]: '6.12.0', '/proc/config.gz': configWithout('IP_NF_NAT') } },
    mode: {},
  },
  {
    name: 'has no netfilter at all',
    host: { files: { [RELEASE]: '6.8.0', '/proc/config.gz': 'CONFIG_NET=y\n' } },
    mode: {},
    error: /no mode works on this kernel; leave kube-proxy out/,
  },
  {
    name: 'has them as modules',
    host: {
      files: {
        [RELEASE]: '6.8.0',
        '/lib/modules/6.8.0/modules.dep': [...PROXY_MODES.flatMap(({ modules }) => modules.flat()), 'ip_vs_rr']
          .map(name => `kernel/net/${name}.ko.zst: kernel/x.ko`)
          .join('\n'),
      },
    },
    mode: { mode: 'ipvs' },
  },
]

for (const { name, host, mode, error } of KERNELS) {
  test(`checkProxyMode(): the kernel ${name}`, () => {
    const { config } = loadInitConfig({ flags: {} }, GOLDEN_FACTS)
    const check = (): unknown =>
      checkProxyMode(
        { ...config, kubeProxy: { document: mode as never, userSupplied: true } },
        readKernel(memoryHost(host)),
      )
    if (error === undefined) check()
    else assert.throws(check, (thrown: unknown) => thrown instanceof KubestepError && error.test(thrown.message))
  })
}

test('checkProxyMode() says that ipvs has no future since 1.35, and asks nothing where kube-proxy is left out', () => {
  const { config } = loadInitConfig({ flags: { 'kubernetes-version': 'v1.36.2' } }, GOLDEN_FACTS)
  const ipvs = { ...config, kubeProxy: { document: { mode: 'ipvs' }, userSupplied: true } }
  assert.match(checkProxyMode(ipvs)[0] ?? '', /deprecated since Kubernetes 1\.35: nftables/)
  assert.deepEqual(checkProxyMode({ ...ipvs, version: version('1.34.0') }), [])
  const without = { ...config.cluster, proxy: { disabled: true } }
  assert.deepEqual(
    checkProxyMode({ ...config, cluster: without, kubeProxy: { document: { mode: 'no' }, userSupplied: true } }),
    [],
  )
  assert.equal(proxyModeName({ mode: '' }), 'iptables')
})

test('featureState() believes what runs before what files say', () => {
  const state = (files: Record<string, string>, name = 'br_netfilter'): string =>
    featureState(featureOf(name), readKernel(memoryHost({ files: { [RELEASE]: '6.1.0\n', ...files } })))
  const config = '/proc/config.gz'
  assert.equal(state({}), 'unknown')
  assert.equal(state({ [config]: '# CONFIG_BRIDGE_NETFILTER is not set\nCONFIG_X=y' }), 'missing')
  assert.equal(state({ [config]: 'CONFIG_BRIDGE_NETFILTER=y' }), 'present')
  assert.equal(state({ [config]: 'CONFIG_BRIDGE_NETFILTER=m' }), 'loadable')
  assert.equal(state({ [config]: 'CONFIG_BRIDGE_NETFILTER=m', '/lib/modules/6.1.0/modules.dep': '' }), 'missing')
  assert.equal(
    state({ '/lib/modules/6.1.0/modules.dep': 'kernel/net/bridge/br_netfilter.ko.xz: kernel/a.ko' }),
    'loadable',
  )
  assert.equal(state({ '/lib/modules/6.1.0/modules.builtin': 'kernel/net/bridge/br_netfilter.ko\n' }), 'present')
  assert.equal(state({ '/proc/modules': 'br_netfilter 32768 0 - Live 0x0\n' }), 'present')
  assert.equal(state({ '/proc/sys/net/bridge/bridge-nf-call-iptables': '1' }), 'present')
  assert.equal(state({ '/proc/filesystems': 'nodev\toverlay\n\text4\n', [config]: 'CONFIG_X=y' }, 'overlay'), 'present')
  assert.equal(state({ '/proc/filesystems': 'nodev\toverlayx\n', [config]: 'CONFIG_X=y' }, 'overlay'), 'missing')
})

test('loadedModules(), listedModules() and kernelOptions() read what the kernel writes', () => {
  assert.deepEqual(loadedModules('nf_conntrack 212992 3 xt_conntrack,nf_nat - Live 0x0\nip_vs 1 0 - Live 0\n'), [
    'nf_conntrack',
    'ip_vs',
  ])
  assert.deepEqual(
    listedModules('kernel/net/sched/act-x.ko.gz: kernel/a.ko kernel/b.ko\nkernel/fs/overlayfs/overlay.ko\n'),
    ['act_x', 'overlay'],
  )
  assert.deepEqual(
    [...kernelOptions('# CONFIG_A is not set\nCONFIG_B=y\nCONFIG_C=m\nCONFIG_D="a=b"\n')],
    [
      ['B', 'y'],
      ['C', 'm'],
      ['D', '"a=b"'],
    ],
  )
})
