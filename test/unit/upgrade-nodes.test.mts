/** What an upgrade makes of nodes: further ones of the same machine, and kubelets of another release. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseVersion } from '../../lib/base/version.ts'
import type { LocalNode } from '../../lib/machine/local-node/local-node.ts'
import { inOrder, passedOn } from '../../lib/phases/upgrade/local-nodes.ts'
import { kubeletRelease } from '../../lib/phases/upgrade/upgrade-outlook.ts'

test('control planes come first, as no kubelet may be newer than an API server', () => {
  const node = (name: string, role: LocalNode['role'], index: number): LocalNode => ({
    ...{ name, role, index, addresses: [], rules: [] },
  })
  const nodes = [node('w', 'worker', 2), node('c2', 'control-plane', 3), node('w2', 'worker', 4)]
  assert.deepEqual(
    inOrder([...nodes, node('c3', 'control-plane', 5)]).map(({ name }) => name),
    ['c2', 'c3', 'w', 'w2'],
  )
})

const KUBELETS: readonly (readonly [kubelet: string, apiserver: string | undefined, release: string])[] = [
  ['v1.35.3', 'v1.35.3', 'v1.35.3'],
  ['v1.33.0', 'v1.35.3', 'v1.33.0'],
  ['v1.36.2', 'v1.35.3', 'v1.35.3'],
  ['v1.36.2', undefined, 'v1.36.2'],
]

for (const [kubelet, apiserver, release] of KUBELETS) {
  test(`the files of kubelet ${kubelet} beside API server ${apiserver} are those of ${release}`, () => {
    assert.equal(kubeletRelease(kubelet, apiserver === undefined ? undefined : parseVersion(apiserver)), release)
  })
}

const ROWS: readonly (readonly [flags: Parameters<typeof passedOn>[0], words: RegExp])[] = [
  [{}, /^$/],
  [{ artifacts: 'a b', drain: true }, /^--artifacts=\/.*\/a b --drain=true$/],
  [{ 'certificate-renewal': false, offline: true }, /^--certificate-renewal=false --offline=true$/],
  [{ force: true, 'print-config': true, kubeconfig: 'x' }, /^$/],
  [{ timeout: '9h0m0s' }, /^--timeout=\d+ms$/],
  [{ mirror: 'a=https://me:word@b' }, /^$/],
]

for (const [flags, words] of ROWS) {
  test(`of ${JSON.stringify(flags)} they are told what counts for them`, () => {
    assert.match(passedOn(flags).join(' '), words)
  })
}
