import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json, JsonObject } from '../../lib/base/json.ts'
import type { Api } from '../../lib/cluster/api/api-client.ts'
import { GATES, type GateContext, type Verdict } from '../../lib/cluster/ready/gates.ts'

const waiting = { containerStatuses: [{ state: { waiting: { reason: 'ErrImagePull', message: 'not found' } } }] }
const unscheduled = { conditions: [{ type: 'PodScheduled', status: 'False', message: '0/1 nodes are available' }] }

const ROWS: readonly (readonly [what: string, pods: readonly JsonObject[], verdict: Verdict])[] = [
  ['no Pod', [], 'there is no Pod of CoreDNS yet'],
  ['a Pod that runs', [{ status: { phase: 'Running' } }], true],
  ['one of two that runs', [{ status: { phase: 'Pending' } }, { status: { phase: 'Running' } }], true],
  [
    'a Pod that waits for its image',
    [{ status: { phase: 'Pending', ...waiting } }],
    'the Pod of CoreDNS is Pending: not found',
  ],
  [
    'a Pod for which there is no node',
    [{ status: { phase: 'Pending', ...unscheduled } }],
    'the Pod of CoreDNS is Pending: 0/1 nodes are available',
  ],
]

for (const [what, pods, verdict] of ROWS) {
  test(`the gate "pod" says of ${what} of CoreDNS: ${verdict}`, async () => {
    const asked: string[] = []
    const get: Api['get'] = async path => {
      asked.push(path)
      return { items: pods as Json }
    }
    const gate = GATES.find(({ name }) => name === 'pod')
    assert.deepEqual(await gate?.check({ api: { get }, hasDns: true } as GateContext), verdict)
    assert.deepEqual(asked, ['/api/v1/namespaces/kube-system/pods?labelSelector=k8s-app%3Dkube-dns'])
  })
}
