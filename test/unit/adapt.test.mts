import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadInitConfig } from '../../lib/kubeadm/config/load-config.ts'
import { adaptToMachine } from '../../lib/phases/run/machine-adaptations.ts'
import { configuredDriver } from '../../lib/supply/runtime/runtime.ts'
import { GOLDEN_FACTS } from '../facts.ts'

const MACHINE = { root: true, systemd: true, cgroupVersion: 2, swap: false, mayLowerOomScore: true } as const

for (const [what, version, machine, fields] of [
  ['a machine as kubeadm wants it', 'v1.36.2', {}, {}],
  ['no systemd', 'v1.36.2', { systemd: false }, { cgroupDriver: 'cgroupfs' }],
  ['a runtime with cgroupfs under systemd', 'v1.36.2', { cgroupDriver: 'cgroupfs' }, { cgroupDriver: 'cgroupfs' }],
  ['a runtime with systemd', 'v1.36.2', { cgroupDriver: 'systemd' }, {}],
  ['a release whose kubeadm says nothing, under systemd', 'v1.20.2', {}, { cgroupDriver: 'systemd' }],
  ['such a release, with another runtime', 'v1.20.2', { cgroupDriver: 'cgroupfs' }, { cgroupDriver: 'cgroupfs' }],
  ['such a release, without systemd', 'v1.20.2', { systemd: false }, { cgroupDriver: 'cgroupfs' }],
  ['cgroup v1', 'v1.36.2', { cgroupVersion: 1 }, { failCgroupV1: false }],
  ['cgroup v1, before there was a field for it', 'v1.30.2', { cgroupVersion: 1 }, {}],
  ['swap', 'v1.36.2', { swap: true }, { failSwapOn: false }],
] as const) {
  test(`adaptToMachine() of ${version} for ${what}`, () => {
    const { config } = loadInitConfig({ flags: { 'kubernetes-version': version } }, GOLDEN_FACTS)
    const adapted = adaptToMachine(config, { ...MACHINE, ...machine })
    assert.deepEqual(adapted.config.kubelet.document, { ...config.kubelet.document, ...fields })
    assert.equal(adapted.notices.length, Object.keys(fields).length)
  })
}

test('adaptToMachine() leaves what the user has said', () => {
  const { config } = loadInitConfig({ flags: {} }, GOLDEN_FACTS)
  const document = { ...config.kubelet.document, cgroupDriver: 'systemd' }
  const said = { ...config, kubelet: { ...config.kubelet, document } }
  assert.deepEqual(adaptToMachine(said, { ...MACHINE, systemd: false }).config.kubelet.document, document)
})

for (const [what, mayLowerOomScore, document, args, flags] of [
  ['a machine that may', true, {}, [], []],
  ['a machine that may not', false, {}, [], [{ name: 'oom-score-adj', value: '0' }]],
  ['one that may not, when the user has said so in the configuration', false, { oomScoreAdj: -5 }, [], []],
  [
    'one that may not, when the user has given the flag',
    false,
    {},
    [{ name: 'oom-score-adj', value: '-5' }],
    [{ name: 'oom-score-adj', value: '-5' }],
  ],
] as const) {
  test(`adaptToMachine() on an OOM score of the kubelet, for ${what}`, () => {
    const { config } = loadInitConfig({ flags: {} }, GOLDEN_FACTS)
    const { nodeRegistration } = config.init
    const given = {
      ...config,
      init: { ...config.init, nodeRegistration: { ...nodeRegistration, kubeletExtraArgs: args } },
      kubelet: { ...config.kubelet, document: { ...config.kubelet.document, ...document } },
    }
    const adapted = adaptToMachine(given, { ...MACHINE, mayLowerOomScore })
    assert.deepEqual(adapted.config.init.nodeRegistration.kubeletExtraArgs, flags)
  })
}

for (const [what, mayLowerOomScore, given, document, addons] of [
  ['a machine that may', true, {}, {}, 0],
  ['a machine that may not', false, {}, { oomScoreAdj: 0 }, 1],
  ['one that may not, when the user has said so', false, { oomScoreAdj: -5 }, { oomScoreAdj: -5 }, 0],
] as const) {
  test(`adaptToMachine() on an OOM score of kube-proxy, for ${what}`, () => {
    const { config } = loadInitConfig({ flags: {} }, GOLDEN_FACTS)
    const kubeProxy = { ...config.kubeProxy, document: given }
    const machine = { ...MACHINE, mayLowerOomScore }
    const adapted = adaptToMachine({ ...config, kubeProxy }, machine)
    assert.deepEqual(adapted.config.kubeProxy.document, document)
    assert.equal(adapted.notices.filter(notice => notice.startsWith('[addon]')).length, addons)
    const cluster = { ...config.cluster, proxy: { disabled: true } }
    assert.deepEqual(adaptToMachine({ ...config, cluster, kubeProxy }, machine).config.kubeProxy.document, given)
  })
}

for (const [config, driver] of [
  [{ containerd: { defaultRuntimeName: 'runc', runtimes: { runc: { options: { SystemdCgroup: true } } } } }, 'systemd'],
  [{ containerd: { defaultRuntimeName: 'runc', runtimes: { runc: { options: { BinaryName: '' } } } } }, 'cgroupfs'],
  [{ containerd: { defaultRuntimeName: 'runc', runtimes: { runc: { options: null } } } }, 'cgroupfs'],
  [{ containerd: { defaultRuntimeName: 'kata', runtimes: { runc: {} } } }, undefined],
  [{}, undefined],
] as const) {
  test(`configuredDriver() of ${JSON.stringify(config)}`, () => assert.equal(configuredDriver(config), driver))
}
