/** Which version may follow which. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareVersions, parseVersion, type Version } from '../../lib/base/version.ts'
import { skewFaults, type VersionStep } from '../../lib/kubeadm/upgrade/skew.ts'

const version = (text: string): Version => parseVersion(text) ?? assert.fail(text)

type Row = readonly [
  from: string,
  to: string,
  verdict: 'allowed' | 'by force' | 'never',
  more?: Partial<VersionStep> & { readonly kubelet?: string },
]

const ROWS: readonly Row[] = [
  ['v1.36.2', 'v1.36.2', 'allowed'],
  ['v1.36.2', 'v1.36.3', 'allowed'],
  ['v1.35.3', 'v1.36.2', 'allowed'],
  ['v1.34.0', 'v1.36.2', 'never'],
  ['v1.34.0', 'v1.36.0-rc.1', 'by force'],
  ['v1.36.2', 'v2.0.0', 'never'],
  ['v1.36.3', 'v1.36.2', 'by force'],
  ['v1.36.2', 'v1.35.6', 'by force'],
  ['v1.36.2', 'v1.34.9', 'never'],
  ['v1.36.2', 'v1.37.0', 'by force'],
  ['v1.35.3', 'v1.36.0-rc.1', 'by force'],
  ['v1.35.3', 'v1.36.0-rc.1', 'allowed', { allowReleaseCandidate: true }],
  ['v1.35.3', 'v1.36.0-beta.0', 'by force', { allowReleaseCandidate: true }],
  ['v1.35.3', 'v1.36.0-beta.0', 'allowed', { allowExperimental: true }],
  ['v1.35.3', 'v1.36.2', 'allowed', { kubelet: 'v1.33.1' }],
  ['v1.35.3', 'v1.36.2', 'by force', { kubelet: 'v1.32.1' }],
  ['v1.27.3', 'v1.28.2', 'allowed', { kubelet: 'v1.27.1' }],
  ['v1.27.3', 'v1.28.2', 'by force', { kubelet: 'v1.26.1' }],
  ['v1.20.2', 'v1.21.14', 'allowed'],
]

for (const [from, to, verdict, { kubelet = from, ...more } = {}] of ROWS) {
  test(`from ${from} to ${to}, kubelets ${kubelet}, ${JSON.stringify(more)}: ${verdict}`, () => {
    const { faults, passable } = skewFaults({
      from: version(from),
      to: version(to),
      kubelets: [version(kubelet)],
      ...more,
    })
    assert.equal(faults.length > 0 ? 'never' : passable.length > 0 ? 'by force' : 'allowed', verdict)
  })
}

test('versions are ordered as semver has it', () => {
  const sorted = ['v1.2.9', 'v1.10.0-alpha.2', 'v1.10.0-alpha.10', 'v1.10.0-beta', 'v1.10.0-rc.1', 'v1.10.0', 'v1.10.1']
  assert.deepEqual(
    sorted.toReversed().toSorted((a, b) => compareVersions(version(a), version(b))),
    sorted,
  )
})
