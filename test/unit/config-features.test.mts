import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseVersion, type Version } from '../../lib/base/version.ts'
import {
  checkFeatureGates,
  FEATURE_GATES,
  featureNotices,
  isFeatureEnabled,
} from '../../lib/kubeadm/config/features.ts'

const release = (minor: number): Version => parseVersion(`v1.${minor}.0`) as Version

// Which releases have the gate, and since when it is on by default; as in kubeadm's own features.go.
const GATES: readonly (readonly [name: string, first: number, last: number, on?: number])[] = [
  ['ControlPlaneKubeletLocalMode', 31, 35, 33],
  ['EtcdLearnerMode', 27, 32, 29],
  ['IPv6DualStack', 18, 23, 21],
  ['NodeLocalCRISocket', 32, 36, 34],
  ['PublicKeysECDSA', 18, 36],
  ['RootlessControlPlane', 22, 36],
  ['UnversionedKubeletConfigMap', 23, 25, 24],
  ['UpgradeAddonsBeforeControlPlane', 28, 30],
  ['WaitForAllControlPlaneComponents', 30, 34, 33],
]

test('FEATURE_GATES has all gates', () => {
  assert.deepEqual(
    FEATURE_GATES.map(gate => gate.name),
    GATES.map(([name]) => name),
  )
})

for (const [name, first, last, on = 99] of GATES) {
  test(`${name} is there from 1.${first} to 1.${last}`, () => {
    for (let minor = 18; minor <= 36; minor++) {
      const there = minor >= first && minor <= last
      assert.equal(checkFeatureGates({ [name]: true }, release(minor)).length, there ? 0 : 1, `1.${minor}`)
      assert.equal(isFeatureEnabled(name, undefined, release(minor)), there && minor >= on, `1.${minor}`)
      assert.equal(isFeatureEnabled(name, { [name]: true }, release(minor)), there, `1.${minor}`)
      assert.equal(isFeatureEnabled(name, { [name]: false }, release(minor)), false, `1.${minor}`)
    }
  })
}

test('checkFeatureGates() says which releases have a gate, or what was meant', () => {
  const reason = (name: string): string => checkFeatureGates({ [name]: true }, release(36))[0]?.reason ?? ''
  assert.match(reason('EtcdLearnerMode'), /since 1\.27, no longer since 1\.33/)
  assert.match(reason('publicKeysECDSA'), /did you mean "PublicKeysECDSA"/)
  assert.match(reason('Foo'), /no release has it/)
})

test('featureNotices() speaks of gates that will go away', () => {
  assert.match(featureNotices({ PublicKeysECDSA: true }, release(36)).join(), /deprecated; set encryptionAlgorithm/)
  assert.deepEqual(featureNotices({ PublicKeysECDSA: true }, release(29)), [])
  assert.deepEqual(featureNotices({ NodeLocalCRISocket: false }, release(36)), [])
})
