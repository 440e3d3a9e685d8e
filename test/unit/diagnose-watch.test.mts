import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Broken } from '../../lib/cluster/diagnose/broken-link.ts'
import { isFinal, note, type Seen } from '../../lib/cluster/diagnose/watch-failure.ts'

const broken = (link: string, more: Partial<Broken> = {}): Broken => ({ link, cause: 'c', lines: [], ...more })
const START: Seen = { from: 300, since: 0 }

test('note() keeps since when a link is broken, and begins anew with another one', () => {
  const first = note(START, broken('kubelet'), 1000)
  assert.equal(first.since, 1000)
  const same = note(first, broken('kubelet', { cause: 'another' }), 2000)
  assert.equal(same.since, 1000)
  assert.equal(note(same, broken('etcd'), 3000).since, 3000)
  assert.equal(note(same, broken('kubelet', { kind: 'image 2' }), 3000).since, 3000)
  assert.equal(note(same, undefined, 3000).since, 3000)
})

for (const [what, link, at] of [
  ['nothing is broken', undefined, 500],
  ['what needs the API server is the broken link', 'kube-scheduler', 500],
  ['the API server is the broken link', 'API server', undefined],
  ['what comes before it is', 'etcd', undefined],
] as const) {
  test(`note() knows ${at === undefined ? 'no' : 'a'} time of the API server when ${what}`, () => {
    assert.equal(note(START, link === undefined ? undefined : broken(link), 1, 500).apiReadyAt, at)
  })
}

test('note() keeps the first time of the API server', () => {
  const ready = note(START, undefined, 1, 500)
  assert.equal(note(ready, broken('API server'), 2, 900).apiReadyAt, 500)
})

for (const [what, link, more, seen, final] of [
  ['that may come yet', 'etcd', {}, START, false],
  ['that is final', 'etcd', { final: true }, START, true],
  ['that has not been away for long', 'container runtime', { finalAfterMs: 15_000 }, { from: 0, since: 90_000 }, false],
  ['that is for good at once', 'Pods', { finalAfterMs: 0 }, { from: 0, since: 100_000, apiReadyAt: 1 }, true],
  ['that has been away for long', 'container runtime', { finalAfterMs: 15_000 }, { from: 0, since: 80_000 }, true],
  ['that ended before the watch began', 'kube-apiserver', { final: true, endedAt: 299 }, START, false],
  ['that ended in the watch', 'kube-apiserver', { final: true, endedAt: 301 }, START, true],
  [
    'that ended before the API server was ready',
    'kube-controller-manager',
    { final: true, endedAt: 400 },
    { from: 300, since: 0, apiReadyAt: 500 },
    false,
  ],
  [
    'that ended after the API server was ready',
    'kube-controller-manager',
    { final: true, endedAt: 600 },
    { from: 300, since: 0, apiReadyAt: 500 },
    true,
  ],
] as const) {
  test(`isFinal() says ${final} of a link ${what}`, () => {
    assert.equal(isFinal(broken(link, more), seen, 100_000), final)
  })
}
