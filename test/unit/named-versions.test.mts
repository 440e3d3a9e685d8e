import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadInitConfig } from '../../lib/kubeadm/config/load-config.ts'
import { isVersionName } from '../../lib/kubeadm/config/named-versions.ts'
import { artifactsFault, namedVersions } from '../../lib/supply/components/look-up-versions.ts'
import { GOLDEN_FACTS } from '../facts.ts'

for (const [name, looked] of [
  ['stable', true],
  ['latest-1.37', true],
  ['1.36', true],
  ['v1.36', true],
  ['ci/latest', true],
  ['v1.36.2', false],
  ['1.37.0-rc.0', false],
  ['ci/v1.36.2-10+abc', false],
  ['nonsense', false],
  ['', false],
] as const) {
  test(`isVersionName() says ${looked} of ${JSON.stringify(name)}`, () => assert.equal(isVersionName(name), looked))
}

for (const [name, version, fault] of [
  ['stable', 'v1.20.2', undefined],
  ['1.20', 'v1.20.2', undefined],
  ['latest-1.20', 'v1.20.2', undefined],
  ['1.36', 'v1.20.2', /its kubelet is v1\.20\.2/],
  ['stable', '', /does not say which version/],
] as const) {
  test(`artifactsFault() of ${name} where the kubelet says ${JSON.stringify(version)}`, () => {
    const found = artifactsFault(name, version)
    if (fault === undefined) assert.equal(found, undefined)
    else assert.match(found ?? '', fault)
  })
}

const CLUSTER = 'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nkubernetesVersion: '

test('namedVersions() looks nothing up where every version is complete', async () => {
  const silent = { warn: assert.fail }
  for (const [text, flags] of [
    [`${CLUSTER}v1.30.2\n`, {}],
    [`${CLUSTER}v1.30.2 # stable\n`, {}],
    [`# kubernetesVersion: stable\n${CLUSTER}v1.30.2\n`, {}],
    [undefined, { 'kubernetes-version': 'v1.30.2' }],
    [undefined, {}],
  ] as const) {
    assert.deepEqual(await namedVersions({ flags, ...(text !== undefined && { text }) }, silent), {})
  }
})

test('loadInitConfig() takes what a name was found to stand for', () => {
  const versions = { 'stable-1.30': 'v1.30.99', stable: 'v1.36.99' }
  const { config, notices } = loadInitConfig({ text: `${CLUSTER}stable-1.30\n`, versions }, GOLDEN_FACTS)
  assert.equal(config.cluster.kubernetesVersion, 'v1.30.99')
  assert.deepEqual(
    notices.filter(notice => notice.includes('kubernetesVersion')),
    [],
  )
  const flagged = loadInitConfig({ flags: { 'kubernetes-version': 'stable' }, versions }, GOLDEN_FACTS)
  assert.equal(flagged.config.cluster.kubernetesVersion, 'v1.36.99')
})
