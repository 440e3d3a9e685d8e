import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseVersion, type Version } from '../../lib/base/version.ts'
import { firstAccounts } from '../../lib/phases/init/first-accounts.ts'

const release = (text: string): Version => parseVersion(text) as Version

const CASES = [
  { version: 'v1.19.14', kinds: ['ServiceAccount', 'ServiceAccount'] },
  { version: 'v1.20.2', kinds: ['ServiceAccount', 'ConfigMap', 'ServiceAccount', 'ConfigMap'] },
  { version: 'v1.36.2', kinds: ['ServiceAccount', 'ConfigMap', 'ServiceAccount', 'ConfigMap'] },
]

for (const { version, kinds } of CASES) {
  test(`firstAccounts() of ${version} are ${kinds.join(', ')}`, () => {
    const objects = firstAccounts(release(version), 'PEM')
    assert.deepEqual(
      objects.map(({ kind }) => kind),
      kinds,
    )
  })
}

test('firstAccounts() carry the CA as the controller manager publishes it', () => {
  const [, published] = firstAccounts(release('v1.36.2'), 'PEM')
  assert.deepEqual(published, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'kube-root-ca.crt', namespace: 'default' },
    data: { 'ca.crt': 'PEM' },
  })
})
