import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DEFAULT_VERSION } from '../../lib/base/defaults.ts'
import { formatVersion, NEWEST_MINOR, OLDEST_MINOR } from '../../lib/base/version.ts'
import { chooseVersion, NEWEST_PATCHES, newestPatch } from '../../lib/kubeadm/config/kubernetes-version.ts'

// Columns: text, what is deployed, kubeadm to write as, whether there is a notice.
const CHOSEN: readonly (readonly [text: string, kubernetes: string, kubeadm: string, notice: boolean])[] = [
  ['', DEFAULT_VERSION, DEFAULT_VERSION, false],
  ['stable-1', DEFAULT_VERSION, DEFAULT_VERSION, false],
  ['stable', DEFAULT_VERSION, DEFAULT_VERSION, true],
  ['latest', DEFAULT_VERSION, DEFAULT_VERSION, true],
  ['latest-1', DEFAULT_VERSION, DEFAULT_VERSION, true],
  ['stable-1.30', 'v1.30.14', 'v1.30.14', true],
  ['1.30', 'v1.30.14', 'v1.30.14', true],
  ['v1.36', DEFAULT_VERSION, DEFAULT_VERSION, true],
  ['v1.36.0', 'v1.36.0', 'v1.36.0', false],
  ['1.20.2', 'v1.20.2', 'v1.20.2', false],
  ['release/v1.33.1', 'v1.33.1', 'v1.33.1', false],
  ['ci/v1.36.2-10+abcdef', 'ci/v1.36.2-10+abcdef', 'v1.36.2-10+abcdef', false],
  ['v1.36.2-rc.1+abc', 'v1.36.2-rc.1+abc', 'v1.36.2-rc.1+abc', false],
  ['v1.37.0', 'v1.37.0', DEFAULT_VERSION, true],
  ['v2.0.0', 'v2.0.0', DEFAULT_VERSION, true],
]

describe('chooseVersion()', () => {
  for (const [text, kubernetes, kubeadm, notice] of CHOSEN) {
    test(`takes "${text}" for ${kubernetes}`, () => {
      const choice = chooseVersion(text)
      assert.ok(!('reason' in choice), JSON.stringify(choice))
      assert.equal(choice.kubernetesVersion, kubernetes)
      assert.equal(formatVersion(choice.kubeadm), kubeadm)
      assert.equal(choice.notices.length, notice ? 1 : 0)
    })
  }

  const refused: readonly (readonly [text: string, reason: RegExp])[] = [
    ['1.17', /before v1\.18/],
    ['1.1', /before v1\.18/],
    ['1.2', /if 1\.20 is meant, put it in quotes: '1\.20'/],
    ['1.3', /if 1\.30 is meant, put it in quotes: '1\.30'/],
    ['1.4', /if 1\.40 is meant, put it in quotes: '1\.40'/],
    ['v1.3', /if v1\.30 is meant, put it in quotes: 'v1\.30'/],
    ['1.37', /looked up on the network; write an exact version like v1\.37\.0/],
    ['v1.17.9', /before v1\.18/],
    ['latest-2', /looked up on the network/],
    ['stable-1.37', /looked up on the network/],
    ['ci/latest', /looked up on the network/],
    ['v1.36.2-rc.01', /not a version/],
    ['v1.36.2-', /not a version/],
    ['v1.36.2+', /not a version/],
    ['v1.36.2-a..b', /not a version/],
    ['foo', /not a version/],
  ]
  for (const [text, reason] of refused) {
    test(`refuses "${text}"`, () => {
      const choice = chooseVersion(text)
      assert.ok('reason' in choice)
      assert.match(choice.reason, reason)
    })
  }

  test('writes as the kubeadm release that is asked for', () => {
    const choice = chooseVersion('v1.35.3', { kubeadm: 'v1.36.2' })
    assert.ok(!('reason' in choice))
    assert.equal(formatVersion(choice.version), 'v1.35.3')
    assert.equal(formatVersion(choice.kubeadm), 'v1.36.2')
  })

  test('takes the version of that release when none is given', () => {
    const choice = chooseVersion('', { kubeadm: 'v1.30.2' })
    assert.ok(!('reason' in choice))
    assert.equal(choice.kubernetesVersion, 'v1.30.2')
  })

  test('takes a name of which nothing is known where a guess will do', () => {
    for (const [name, taken] of [
      ['ci/latest', DEFAULT_VERSION],
      ['ci/k8s-master', DEFAULT_VERSION],
      ['stable-1.37', 'v1.37.0'],
      ['1.37', 'v1.37.0'],
    ] as const) {
      const choice = chooseVersion(name, { guess: true })
      assert.ok(!('reason' in choice), name)
      assert.equal(choice.kubernetesVersion, taken)
      assert.match(choice.notices.join(), /is taken as/)
    }
  })

  test('knows how far kubeadm and Kubernetes may be apart', () => {
    const old = chooseVersion('v1.34.0', { kubeadm: 'v1.36.2' })
    assert.ok('reason' in old && !old.ofKubeadm)
    assert.match(old.reason, /only deploys v1\.35\.0 and newer/)
    const newer = chooseVersion('v1.36.0', { kubeadm: 'v1.35.0' })
    assert.ok(!('reason' in newer) && newer.notices.length === 1)
    const unknown = chooseVersion('v1.36.0', { kubeadm: 'v1.40.0' })
    assert.ok('reason' in unknown && unknown.ofKubeadm)
  })
})

test('newestPatch() knows every minor from the oldest to the newest', () => {
  assert.equal(NEWEST_PATCHES.length, NEWEST_MINOR - OLDEST_MINOR + 1)
  assert.equal(newestPatch(1, NEWEST_MINOR), DEFAULT_VERSION)
  assert.equal(newestPatch(1, OLDEST_MINOR - 1), undefined)
  assert.equal(newestPatch(1, NEWEST_MINOR + 1), undefined)
})
