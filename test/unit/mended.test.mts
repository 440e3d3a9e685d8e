import assert from 'node:assert/strict'
import { test } from 'node:test'
import { heldUp } from '../../lib/phases/run/changed-manifests.ts'
import type { PodContainer } from '../../lib/supply/cri/pod-containers.ts'

const container = (name: string, createdAtMs: number, state: PodContainer['state'] = 'exited'): PodContainer => ({
  id: name,
  name,
  sandbox: 's',
  pod: `${name}-n1`,
  uid: 'u',
  namespace: 'kube-system',
  attempt: 1,
  state,
  createdAt: createdAtMs * 1e6,
})

for (const [what, containers, written, now, names] of [
  ['made from an older manifest that ended', [container('etcd', 1000)], { etcd: 2000 }, 7001, ['etcd']],
  ['the kubelet may still take', [container('etcd', 1000)], { etcd: 2000 }, 6999, []],
  ['made from this manifest', [container('etcd', 3000), container('etcd', 1000)], { etcd: 2000 }, 90_000, []],
  ['running, and may take its time to end', [container('etcd', 1000, 'running')], { etcd: 2000 }, 41_999, []],
  ['running on', [container('etcd', 1000, 'running')], { etcd: 2000 }, 42_001, ['etcd']],
  ['whose manifest is gone', [container('etcd', 1000)], {}, 90_000, []],
  ['that never was', [], { etcd: 2000 }, 90_000, []],
  ["of a user's Pod", [{ ...container('etcd', 1000), namespace: 'default' }], { etcd: 2000 }, 90_000, []],
] as const) {
  test(`heldUp() gives ${names.length === 0 ? 'nothing for' : ''} a static Pod ${what}`, () => {
    assert.deepEqual(
      heldUp(containers, written, now).map(({ name }) => name),
      names,
    )
  })
}
