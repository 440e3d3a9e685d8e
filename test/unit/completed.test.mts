import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../lib/base/json.ts'
import { parseVersion } from '../../lib/base/version.ts'
import { type Api, ApiError } from '../../lib/cluster/api/api-client.ts'
import { applyObject } from '../../lib/cluster/api/apply-object.ts'
import { completed, mergedTaints } from '../../lib/cluster/api/completed-object.ts'
import { keepingChanges } from '../../lib/cluster/api/kept-changes.ts'
import type { ClusterObject } from '../../lib/kubeadm/objects/cluster-object.ts'
import { corefile, isDefaultCorefile } from '../../lib/kubeadm/objects/corefile.ts'

/** A cluster that holds these objects, by path; it tells what it was asked for. */
function cluster(objects: Readonly<Record<string, JsonObject>>, asked: string[] = []): Api {
  return {
    server: 'https://10.0.0.5:6443',
    send: () => Promise.reject(new Error('not in this test')),
    get: async path => {
      asked.push(path)
      return objects[path]
    },
    lines: () => Promise.reject(new Error('not in this test')),
    close: () => {},
  }
}

const LONG = AbortSignal.timeout(60_000)
const row = (verb: ClusterObject['verb'], name: string, object: JsonObject): ClusterObject => ({
  phase: 'p',
  verb,
  resource: 'r',
  name,
  namespace: '',
  object,
})

const NOT_READY = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }
const CONTROL_PLANE = { key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }

for (const [what, wanted, present, merged] of [
  ['none there', [CONTROL_PLANE], undefined, [CONTROL_PLANE]],
  ['another one there', [CONTROL_PLANE], [NOT_READY], [CONTROL_PLANE, NOT_READY]],
  ['the same one there', [CONTROL_PLANE], [NOT_READY, CONTROL_PLANE], [CONTROL_PLANE, NOT_READY]],
  [
    'the same key with another effect',
    [CONTROL_PLANE],
    [{ ...CONTROL_PLANE, effect: 'NoExecute' }],
    [CONTROL_PLANE, { ...CONTROL_PLANE, effect: 'NoExecute' }],
  ],
] as const) {
  test(`mergedTaints() puts the wanted ones first, with ${what}`, () => {
    assert.deepEqual(mergedTaints(wanted, present), merged)
  })
}

test("completed() keeps a Node's own taints in the patch", async () => {
  const node = { metadata: { labels: { 'kubernetes.io/hostname': 'n1' } }, spec: { taints: [NOT_READY] } }
  const patch = { metadata: { labels: { a: '' } }, spec: { taints: [CONTROL_PLANE] } }
  const got = await completed(cluster({ '/api/v1/nodes/n1': node }), row('PATCH', 'n1', patch), LONG)
  assert.deepEqual(got, { metadata: { labels: { a: '' } }, spec: { taints: [CONTROL_PLANE, NOT_READY] } })
})

test('completed() asks nothing where nothing is to be filled in', async () => {
  const asked: string[] = []
  const patch = { metadata: { labels: { a: '' } } }
  assert.equal(await completed(cluster({}, asked), row('PATCH', 'n1', patch), LONG), patch)
  const object = { kind: 'ConfigMap', metadata: { name: 'a' } }
  assert.equal(await completed(cluster({}, asked), row('CREATE', 'a', object), LONG), object)
  assert.deepEqual(asked, [])
})

test('completed() gives up on a Node that does not come', async () => {
  const patch = { spec: { taints: [CONTROL_PLANE] } }
  await assert.rejects(completed(cluster({}), row('PATCH', 'n1', patch), AbortSignal.abort()), {
    message: 'api: cannot find "/api/v1/nodes/n1": it does not exist',
  })
})

test("completed() fills in the owner's uid", async () => {
  const reference = { apiVersion: 'v1', kind: 'Secret', name: 'bootstrap-token-abcdef', uid: '', controller: true }
  const object = {
    kind: 'Secret',
    metadata: { name: 'kubeadm-certs', namespace: 'kube-system', ownerReferences: [reference] },
  }
  const owner = { metadata: { uid: 'u-1' } }
  const path = '/api/v1/namespaces/kube-system/secrets/bootstrap-token-abcdef'
  const got = await completed(cluster({ [path]: owner }), row('CREATE', 'kubeadm-certs', object), LONG)
  assert.deepEqual((got.metadata as JsonObject).ownerReferences, [{ ...reference, uid: 'u-1' }])
})

const settings = (release: string) => {
  const kubeadm = parseVersion(release)
  assert.ok(kubeadm)
  return { cluster: { networking: { dnsDomain: 'cluster.local' } }, kubeadm }
}

test('isDefaultCorefile() knows those of every release, and no others', () => {
  for (const release of ['v1.18.20', 'v1.20.2', 'v1.31.0', 'v1.36.2']) {
    assert.equal(isDefaultCorefile(corefile(settings(release)), 'cluster.local'), true)
    assert.equal(isDefaultCorefile(corefile(settings(release)), 'example.org'), false)
  }
  assert.equal(isDefaultCorefile(`${corefile(settings('v1.36.2'))}example.org {\n}\n`, 'cluster.local'), false)
})

test('keepingChanges() keeps the number of replicas and a Corefile of somebody else', async () => {
  const metadata = { name: 'coredns', namespace: 'kube-system' }
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { replicas: 2, paused: false } }
  const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { Corefile: corefile(settings('v1.36.2')) } }
  const deploymentPath = '/apis/apps/v1/namespaces/kube-system/deployments/coredns'
  const configMapPath = '/api/v1/namespaces/kube-system/configmaps/coredns'
  const fresh = cluster({})
  assert.equal(await keepingChanges(fresh, deployment), deployment)
  assert.equal(await keepingChanges(fresh, configMap), configMap)
  const older = cluster({ [configMapPath]: { data: { Corefile: corefile(settings('v1.31.0')) } } })
  assert.equal(await keepingChanges(older, configMap), configMap)
  const changed = cluster({
    [deploymentPath]: { spec: { replicas: 5 } },
    [configMapPath]: { data: { Corefile: 'example.org {\n}\n' } },
  })
  assert.deepEqual(await keepingChanges(changed, deployment), { ...deployment, spec: { replicas: 5, paused: false } })
  assert.equal(await keepingChanges(changed, configMap), undefined)
})

/** A cluster that refuses to create with this status, and has what is given; it tells what was sent. */
function refusing(status: number, existing: JsonObject | undefined, sent: string[]): Api {
  return {
    ...cluster({}),
    send: async method => {
      sent.push(method)
      return { status: method === 'POST' ? status : 200, body: '{"message":"no"}' }
    },
    get: async () => existing,
  }
}

const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'kube-dns', namespace: 'kube-system' } }

for (const [what, status, existing, sent] of [
  ['that exists', 409, { metadata: { resourceVersion: '7' } }, ['POST', 'PUT']],
  ['whose address is taken by itself', 422, { metadata: { resourceVersion: '7' } }, ['POST', 'PUT']],
] as const) {
  test(`applyObject() replaces a Service ${what}`, async () => {
    const methods: string[] = []
    await applyObject(refusing(status, existing, methods), service, { deadline: LONG })
    assert.deepEqual(methods, sent)
  })
}

test('applyObject() throws for an object that is invalid', async () => {
  await assert.rejects(applyObject(refusing(422, undefined, []), service, { deadline: AbortSignal.abort() }), {
    message: 'api: cannot POST "/api/v1/namespaces/kube-system/services": no (status 422)',
  })
})

test('an address that a request without an answer may hold is waited for, also when that takes long', async () => {
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'kube-dns', namespace: 'kube-system' } }
  for (const first of [undefined, 500]) {
    const statuses = [first, 422, 422, 422, 201]
    let clock = 0
    const api: Api = {
      ...cluster({}),
      send: async () => {
        clock += 10_000
        const status = statuses.shift()
        if (status === undefined) throw new ApiError('no answer', 0)
        return { status, body: '{"message":"provided IP is already allocated"}' }
      },
    }
    const now = Object.getOwnPropertyDescriptor(performance, 'now')
    Object.defineProperty(performance, 'now', { configurable: true, value: () => clock })
    try {
      const applied = applyObject(api, service, { deadline: LONG })
      if (first === undefined) await applied
      else await assert.rejects(applied, /already allocated/)
    } finally {
      if (now === undefined) Reflect.deleteProperty(performance, 'now')
      else Object.defineProperty(performance, 'now', now)
    }
  }
})
