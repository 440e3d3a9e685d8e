import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../lib/base/json.ts'
import { loadInitConfig } from '../../lib/kubeadm/config/load-config.ts'
import { profilePatch } from '../../lib/kubeadm/profile/profile-patch.ts'
import { GOLDEN_FACTS } from '../facts.ts'

const USER = `
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: v1.36.2
encryptionAlgorithm: RSA-2048
controllerManager:
  extraArgs: [{name: leader-elect, value: "true"}, {name: v, value: "4"}]
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failSwapOn: true
`

test('withProfile() puts the ci profile under what nothing was said of', () => {
  const { config } = loadInitConfig({ flags: { profile: 'ci' } }, GOLDEN_FACTS)
  assert.equal(config.cluster.encryptionAlgorithm, 'ECDSA-P256')
  assert.deepEqual(config.init.nodeRegistration.taints, [])
  assert.equal(config.kubelet.document.imageGCHighThresholdPercent, 100)
  assert.equal(config.kubelet.userSupplied, false)
  assert.ok(config.cluster.scheduler.extraArgs?.some(({ name, value }) => name === 'leader-elect' && value === 'false'))
})

test('withProfile() leaves what the user says alone', () => {
  const { config } = loadInitConfig({ text: USER, file: 'x', flags: { profile: 'ci' } }, GOLDEN_FACTS)
  assert.equal(config.cluster.encryptionAlgorithm, 'RSA-2048')
  assert.equal(config.kubelet.document.failSwapOn, true)
  const leader = config.cluster.controllerManager.extraArgs?.filter(({ name }) => name === 'leader-elect')
  assert.deepEqual(leader, [{ name: 'leader-elect', value: 'true' }])
})

const SHARED = 'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\ncontrolPlaneEndpoint: k.example:6443\n'

for (const [what, source] of [
  ['several control planes', { flags: { profile: 'ci', 'control-planes': '3' } }],
  ['an endpoint that control planes can share', { text: SHARED, file: 'x', flags: { profile: 'ci' } }],
] as const) {
  test(`with ${what} the ci profile has leaders elected, and members wait for one another as usual`, () => {
    const { controllerManager, scheduler, etcd } = loadInitConfig(source, GOLDEN_FACTS).config.cluster
    const names = [controllerManager, scheduler, etcd.local].flatMap(part => part?.extraArgs?.map(({ name }) => name))
    assert.deepEqual(
      names.filter(name => ['leader-elect', 'heartbeat-interval', 'election-timeout'].includes(name ?? '')),
      [],
    )
    assert.ok(names.includes('unsafe-no-fsync'))
  })
}

for (const [version, planes, expected] of [
  ['v1.36.2', '3', true],
  ['v1.36.2', '1', false],
  ['v1.35.3', '3', false],
] as const) {
  test(`${planes} control planes of ${version}: members of etcd ${expected ? '' : 'do not '}learn side by side`, () => {
    const flags = { profile: 'ci', 'control-planes': planes, 'kubernetes-version': version } as const
    const { etcd } = loadInitConfig({ flags }, GOLDEN_FACTS).config.cluster
    assert.equal(etcd.local?.extraArgs?.some(({ name }) => name === 'max-learners') === true, expected)
  })
}

test('withProfile() changes nothing for the kubeadm profile', () => {
  const plain = loadInitConfig({ text: USER, file: 'x' }, GOLDEN_FACTS).config
  const named = loadInitConfig({ text: USER, file: 'x', flags: { profile: 'kubeadm' } }, GOLDEN_FACTS).config
  assert.deepEqual(
    { ...named, init: { ...named.init, bootstrapTokens: [] } },
    { ...plain, init: { ...plain.init, bootstrapTokens: [] } },
  )
})

test('profilePatch() shortens probes that are there and adds none', () => {
  const pod = { spec: { containers: [{ name: 'etcd', startupProbe: { periodSeconds: 10 } }] } }
  assert.deepEqual(profilePatch('ci', 'etcd', pod), {
    spec: {
      containers: [{ name: 'etcd', startupProbe: { periodSeconds: 1, initialDelaySeconds: 1, failureThreshold: 240 } }],
    },
  })
  const bare = { spec: { containers: [{ name: 'etcd' }] } }
  assert.deepEqual(profilePatch('ci', 'etcd', bare), bare)
  assert.equal(profilePatch('kubeadm', 'etcd', pod), pod)
})

test('profilePatch() adds a variable unless the user has one of that name', () => {
  const pod = (env?: object[]): JsonObject =>
    ({ spec: { containers: [{ name: 'x', ...(env && { env }) }] } }) as JsonObject
  const given = [{ name: 'GOGC', value: '50' }]
  const [other] = [{ name: 'A', value: 'b' }]
  assert.deepEqual(profilePatch('ci', 'kube-scheduler', pod()), pod([{ name: 'GOGC', value: '400' }]))
  assert.deepEqual(profilePatch('ci', 'kube-scheduler', pod([other])), pod([other, { name: 'GOGC', value: '400' }]))
  assert.deepEqual(profilePatch('ci', 'kube-scheduler', pod(given)), pod(given))
  assert.deepEqual(profilePatch('kubeadm', 'kube-scheduler', pod()), pod())
})
