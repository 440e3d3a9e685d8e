/** What an upgrade has put into the cluster, taken back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isObject, type JsonObject } from '../../lib/base/json.ts'
import type { Api } from '../../lib/cluster/api/api-client.ts'
import { putBack } from '../../lib/phases/upgrade/roll-back.ts'

const map = (name: string, data: JsonObject, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'kube-system', ...metadata },
  data,
})

/** Keeps objects as an API server does: one to be created may not say which revision it is. */
function openStore(kept: Map<string, JsonObject>): Api {
  const send: Api['send'] = async (method, path, body) => {
    if (method === 'GET') return { status: 200, body: 'ok' }
    if (method === 'DELETE') return { status: kept.delete(path) ? 200 : 404, body: '{}' }
    const metadata = isObject(body?.metadata) ? body.metadata : {}
    const place = method === 'POST' ? `${path}/${metadata.name}` : path
    if (method === 'POST' && 'resourceVersion' in metadata) return { status: 400, body: 'resourceVersion is set' }
    if (method === 'POST' && kept.has(place)) return { status: 409, body: '{}' }
    if (body !== undefined) kept.set(place, body)
    return { status: 200, body: '{}' }
  }
  return { server: '', send, get: async path => kept.get(path), lines: async () => {}, close: () => {} }
}

test('what was there comes back, also where it was written twice; what was not goes', async () => {
  const folder = '/api/v1/namespaces/kube-system/configmaps'
  const before = map('a', { version: 'old' }, { resourceVersion: '7', uid: 'u', managedFields: [] })
  const kept = new Map([
    [`${folder}/a`, map('a', { version: 'newest' }, { resourceVersion: '9' })],
    [`${folder}/b`, map('b', {})],
  ])
  const objects = [
    { object: map('a', { version: 'new' }), before },
    { object: map('b', {}), before: null },
    { object: map('a', { version: 'newest' }), before: map('a', { version: 'new' }) },
  ]
  await putBack(openStore(kept), objects, AbortSignal.timeout(10_000))
  assert.deepEqual([...kept.keys()], [`${folder}/a`])
  assert.deepEqual(kept.get(`${folder}/a`)?.data, { version: 'old' })
})
