/** When an upgrade is over: static Pods run as the kubelet has them, and a Deployment is rolled out. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../lib/base/json.ts'
import { isRolledOut, unsettled } from '../../lib/phases/upgrade/settled-pods.ts'

const PODS = [{ name: 'etcd-n1', uid: 'new' }]
const running = (uid: string, state = 'running' as 'running' | 'exited'): Parameters<typeof unsettled>[1][number] => ({
  ...{ pod: 'etcd-n1', uid, state },
})

const PODS_ROWS: readonly (readonly [what: string, containers: Parameters<typeof unsettled>[1], left: RegExp])[] = [
  ['one that runs', [running('new')], /^$/],
  ['one whose container of before has ended', [running('old', 'exited'), running('new')], /^$/],
  ['one whose container of before still runs', [running('old')], /of before still runs/],
  ['one that runs twice', [running('new'), running('old')], /of before still runs/],
  ['one that has ended', [running('new', 'exited')], /does not run/],
  ['one that nobody has started', [], /does not run/],
]

for (const [what, containers, left] of PODS_ROWS) {
  test(`static Pods: ${what}`, () => assert.match(unsettled(PODS, containers) ?? '', left))
}

const ALL = { replicas: 2, updatedReplicas: 2, availableReplicas: 2, observedGeneration: 3 }
const DEPLOYMENTS: readonly (readonly [what: string, status: JsonObject, isOut: boolean])[] = [
  ['all of it is new', ALL, true],
  ['nobody has looked at it yet', { ...ALL, observedGeneration: 2 }, false],
  ['one is of before', { ...ALL, updatedReplicas: 1 }, false],
  ['one more is of before', { ...ALL, replicas: 3 }, false],
  ['one does not serve', { ...ALL, availableReplicas: 1 }, false],
  ['it has just begun', {}, false],
]

for (const [what, status, isOut] of DEPLOYMENTS) {
  test(`a Deployment of which ${what}`, () =>
    assert.equal(isRolledOut({ metadata: { generation: 3 }, spec: { replicas: 2 }, status }), isOut))
}
