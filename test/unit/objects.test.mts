import assert from 'node:assert/strict'
import { createDecipheriv } from 'node:crypto'
import { describe, test } from 'node:test'
import { KubestepError } from '../../lib/base/errors.ts'
import { isObject, type JsonObject } from '../../lib/base/json.ts'
import { parse } from '../../lib/base/yaml.ts'
import { completeKubeProxy } from '../../lib/kubeadm/component-configs/kube-proxy-config.ts'
import { controlPlaneUrl } from '../../lib/kubeadm/config/control-plane-url.ts'
import { tokenSecret } from '../../lib/kubeadm/objects/bootstrap-token-objects.ts'
import { clusterObjectsYaml, goJson } from '../../lib/kubeadm/objects/cluster-object.ts'
import { configMapHash } from '../../lib/kubeadm/objects/config-map.ts'
import { corefile } from '../../lib/kubeadm/objects/corefile.ts'
import { certificateFiles, encrypt, newCertificateKey } from '../../lib/kubeadm/objects/upload-certs-objects.ts'
import { renderSteps } from '../../lib/phases/run/render-steps.ts'
import { APPLYING, clusterObjects, configOf, GOLDEN_FACTS, givenFor, type ObjectInputs } from './objects-cases.mts'

const NOW = new Date('2030-01-31T12:00:00.7Z')
const INPUTS: ObjectInputs = { caCertificate: 'PEM\n', now: NOW }
const NEWEST = configOf('v1.36.2', {})

function at(object: JsonObject | undefined, field: string): JsonObject {
  const value = object?.[field]
  return isObject(value) ? value : {}
}

function decoded(secret: JsonObject | undefined): Record<string, string> {
  return Object.fromEntries(
    Object.entries(at(secret, 'data')).map(([key, value]) => [key, Buffer.from(String(value), 'base64').toString()]),
  )
}

describe('clusterObjects()', () => {
  test('clusterObjects() begins with the binding of the admins since 1.29', () => {
    const first = (version: string) => clusterObjects(configOf(version, {}), INPUTS)[0]
    assert.equal(first('v1.28.3')?.name, 'kubeadm-config')
    const binding = first('v1.29.7')
    assert.equal(binding?.name, 'kubeadm:cluster-admins')
    assert.deepEqual(binding?.object.subjects, [{ kind: 'Group', name: 'kubeadm:cluster-admins' }])
    assert.deepEqual(at(binding?.object, 'roleRef').name, 'cluster-admin')
  })

  test('renderSteps() leaves out what is skipped, by itself, with its parent, by an older name', async () => {
    const skipped = ['addon', 'uploadconfig/kubelet', 'bootstraptoken']
    const steps = APPLYING.map(phase => ({ phase }))
    const rendered = await renderSteps(steps, givenFor(NEWEST, INPUTS), skipped, () => {})
    assert.deepEqual(
      [...new Set(rendered.flatMap(({ objects }) => objects.map(({ phase }) => phase)))],
      ['wait-control-plane', 'upload-config/kubeadm', 'mark-control-plane'],
    )
  })

  test('every object says which phase of kubeadm it is of', () => {
    const upload = { key: newCertificateKey(), token: 'aaaaaa.bbbbbbbbbbbbbbbb' }
    for (const phase of APPLYING) {
      const { objects } = phase.objects(givenFor(NEWEST, { ...INPUTS, upload }))
      const names = phase.subphases.length === 0 ? [phase.name] : phase.subphases.map(sub => `${phase.name}/${sub}`)
      assert.deepEqual([...new Set(objects.map(object => object.phase))], names)
      for (const sub of phase.subphases) {
        const its = phase.objects(givenFor(NEWEST, { ...INPUTS, upload }), [sub])
        assert.deepEqual([...new Set(its.objects.map(object => object.phase))], [`${phase.name}/${sub}`])
      }
    }
  })

  const bindings: readonly (readonly [version: string, there: boolean])[] = [
    ['v1.33.11', false],
    ['v1.33.12', true],
    ['v1.34.7', false],
    ['v1.34.8', true],
    ['v1.35.0', false],
    ['v1.35.5', true],
    ['v1.36.0', false],
    ['v1.36.1', true],
  ]
  for (const [version, there] of bindings) {
    test(`the API server of ${version} ${there ? 'is bound' : 'is not bound'} to the kubelet API by a binding`, () => {
      const names = clusterObjects(configOf(version, {}), INPUTS).map(({ name }) => name)
      assert.equal(names.includes('kubeadm:apiserver-kubelet-client'), there)
    })
  }

  test('clusterObjects() hands the Deployment of CoreDNS to patches and profile', () => {
    const apply = (target: string, object: JsonObject): JsonObject => ({ ...object, metadata: { name: target } })
    const deployment = (version: string) =>
      clusterObjects(configOf(version, {}), { ...INPUTS, apply }, ['addon/coredns']).find(
        ({ resource }) => resource === 'deployments',
      )?.object
    assert.deepEqual(deployment('v1.36.2')?.metadata, { name: 'corednsdeployment' })
    assert.deepEqual(deployment('v1.36.2')?.status, {})
    assert.deepEqual(deployment('v1.20.2')?.metadata, { creationTimestamp: null, name: 'corednsdeployment' })
  })

  test('clusterObjects() patches the kubelet ConfigMap from 1.27 until the patch releases that took it back', () => {
    const apply = (_: string, object: JsonObject): JsonObject => ({ ...object, maxPods: 7 })
    for (const [version, isPatched] of [
      ['v1.26.1', false],
      ['v1.27.4', true],
      ['v1.27.11', false],
      ['v1.28.6', true],
      ['v1.28.7', false],
      ['v1.29.1', true],
      ['v1.29.2', false],
    ] as const) {
      const [map] = clusterObjects(configOf(version, {}), { ...INPUTS, apply }, ['upload-config/kubelet'])
      assert.equal(String(at(map?.object, 'data').kubelet).includes('maxPods: 7'), isPatched, version)
    }
  })

  test('clusterObjects() stores resolvConf since 1.31 only where the kubelet is started too', () => {
    const facts = { ...GOLDEN_FACTS, systemdResolved: true }
    const stored = (version: string, kubeletStarted: boolean): boolean => {
      const inputs = { ...INPUTS, facts, kubeletStarted }
      const [map] = clusterObjects(configOf(version, {}), inputs, ['upload-config/kubelet'])
      return String(at(map?.object, 'data').kubelet).includes('resolvConf')
    }
    assert.deepEqual(
      [stored('v1.36.2', true), stored('v1.36.2', false), stored('v1.30.0', false), stored('v1.18.9', true)],
      [true, false, true, false],
    )
  })

  test('clusterObjects() hands the proxy variables to kube-proxy', () => {
    const facts = { ...GOLDEN_FACTS, proxyEnvironment: [{ name: 'HTTPS_PROXY', value: 'http://p' }] }
    const yaml = clusterObjectsYaml(clusterObjects(NEWEST, { ...INPUTS, facts }, ['addon/kube-proxy']))
    assert.match(yaml, /fieldPath: spec\.nodeName\n +- name: HTTPS_PROXY\n +value: http:\/\/p\n/)
  })

  test('clusterObjects() refuses a service subnet without a tenth address', () => {
    const cluster = { ...NEWEST.cluster, networking: { ...NEWEST.cluster.networking, serviceSubnet: '10.0.0.0/29' } }
    assert.throws(
      () => clusterObjects({ ...NEWEST, cluster }, INPUTS, ['addon/coredns']),
      /^KubestepError: addon: cannot choose an address for DNS in "10\.0\.0\.0\/29": it has no tenth address; /,
    )
  })
})

describe('clusterObjectsYaml()', () => {
  test('clusterObjectsYaml() shows the patch where kubeadm imagines a Node', () => {
    const [comment, patch, next] = clusterObjectsYaml(clusterObjects(NEWEST, INPUTS, ['mark-control-plane'])).split(
      '\n',
    )
    assert.equal(comment, '# PATCH nodes')
    assert.deepEqual(JSON.parse(String(patch).replace('# ', '')), {
      metadata: {
        labels: {
          'node-role.kubernetes.io/control-plane': '',
          'node.kubernetes.io/exclude-from-external-load-balancers': '',
        },
      },
      spec: { taints: [{ effect: 'NoSchedule', key: 'node-role.kubernetes.io/control-plane' }] },
    })
    assert.equal(next, 'apiVersion: v1')
  })

  test('goJson() sorts keys and escapes what HTML takes for its own', () => {
    assert.equal(goJson({ b: ['<&>'], a: { d: 1, c: null } }), '{"a":{"c":null,"d":1},"b":["\\u003c\\u0026\\u003e"]}')
  })
})

describe('tokenSecret()', () => {
  const token = { token: 'abcdef.0123456789abcdef', usages: ['signing', 'authentication'] }

  test('tokenSecret() ends the token after its time, in whole seconds', () => {
    const secret = tokenSecret({ ...token, ttl: '1h30m', description: 'mine', groups: ['g:a', 'g:b'] }, NOW)
    assert.deepEqual(decoded(secret), {
      'token-id': 'abcdef',
      'token-secret': '0123456789abcdef',
      description: 'mine',
      expiration: '2030-01-31T13:30:00Z',
      'usage-bootstrap-signing': 'true',
      'usage-bootstrap-authentication': 'true',
      'auth-extra-groups': 'g:a,g:b',
    })
  })

  test('tokenSecret() lets a token without time live for ever, and takes expires before ttl', () => {
    assert.equal(decoded(tokenSecret({ ...token, ttl: '0s' }, NOW)).expiration, undefined)
    const expires = '2031-02-03T04:05:06+01:00'
    assert.equal(decoded(tokenSecret({ ...token, ttl: '1h', expires }, NOW)).expiration, '2031-02-03T03:05:06Z')
  })

  test('tokenSecret() does not show a damaged token', () => {
    assert.throws(
      () => tokenSecret({ ...token, token: 'SECRET' }, NOW),
      (error: unknown) => error instanceof KubestepError && !error.message.includes('SECRET'),
    )
  })
})

describe('uploadCertsObjects()', () => {
  const key = newCertificateKey()
  const files: Readonly<Record<string, string>> = {
    '/etc/kubernetes/pki/ca.crt': 'the CA\n',
    '/etc/kubernetes/pki/etcd/ca.key': 'the key of etcd\n',
  }
  const upload = { key, token: 'aaaaaa.bbbbbbbbbbbbbbbb' }
  const readCredential = (path: string): string | undefined => files[path]
  const objects = clusterObjects(NEWEST, { ...INPUTS, upload, readCredential }, ['upload-certs'])

  function decrypt(value: unknown): string {
    const bytes = Buffer.from(String(value), 'base64')
    const decipher = createDecipheriv('aes-256-gcm', Buffer.from(key, 'hex'), bytes.subarray(0, 12))
    decipher.setAuthTag(bytes.subarray(-16))
    return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString()
  }

  test('uploadCertsObjects() encrypts what there is and leaves the rest empty', () => {
    const data = at(objects[1]?.object, 'data')
    assert.equal(decrypt(data['ca.crt']), 'the CA\n')
    assert.equal(decrypt(data['etcd-ca.key']), 'the key of etcd\n')
    assert.equal(data['sa.key'], null)
    assert.equal(Object.keys(data).length, 8)
  })

  test('uploadCertsObjects() lets the Secret go with a token of two hours', () => {
    assert.deepEqual(decoded(objects[0]?.object), {
      'token-id': 'aaaaaa',
      'token-secret': 'bbbbbbbbbbbbbbbb',
      description: 'Proxy for managing TTL for the kubeadm-certs secret',
      expiration: '2030-01-31T14:00:00Z',
    })
    const { ownerReferences } = at(objects[1]?.object, 'metadata')
    assert.match(JSON.stringify(ownerReferences), /"name":"bootstrap-token-aaaaaa"/)
  })

  test('uploadCertsObjects() gives nothing without an upload', () => {
    assert.deepEqual(clusterObjects(NEWEST, INPUTS, ['upload-certs']), [])
  })

  test('encrypt() draws a new nonce each time, and does not show a bad key', () => {
    const zeros = (size: number): Uint8Array => new Uint8Array(size)
    assert.deepEqual(encrypt('text', key, zeros), encrypt('text', key, zeros))
    assert.throws(
      () => encrypt('text', 'badkey', zeros),
      (error: unknown) => error instanceof KubestepError && !error.message.includes('badkey'),
    )
  })

  test('certificateFiles() names the files of an external etcd', () => {
    const config = configOf('v1.36.2', {
      cluster: 'etcd: {external: {endpoints: ["https://e:2379"], caFile: /a, certFile: /b, keyFile: /c}}\n',
    })
    assert.deepEqual(certificateFiles(config).slice(-3), [
      ['external-etcd-ca.crt', '/a'],
      ['external-etcd.crt', '/b'],
      ['external-etcd.key', '/c'],
    ])
  })
})

test('configMapHash() goes over the values in the order of their keys', () => {
  // Source: the annotation in test/golden/v1.36.2/init/default.
  assert.equal(configMapHash({ b: 'two', a: 'one' }), configMapHash({ a: 'one', b: 'two' }))
  assert.equal(
    configMapHash({ a: 'one', b: 'two' }),
    'sha256:25b6746d5172ed6352966a013d93ac846e1110d5a25e8f183b5931f4688842a1',
  )
})

test('completeKubeProxy() speaks of every value that differs', () => {
  const config = configOf('v1.36.2', {
    cluster: 'networking: {podSubnet: 10.244.0.0/16}\n',
    kubeProxy: `apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
bindAddress: 127.0.0.1
clusterCIDR: 10.1.0.0/16
clientConnection: {kubeconfig: /k}
`,
  })
  assert.deepEqual(
    completeKubeProxy(config).notices.map(notice => /for "([^"]+)"/.exec(notice)?.[1]),
    ['bindAddress', 'clusterCIDR', 'clientConnection.kubeconfig'],
  )
})

test('corefile() forwards and caches as each release does', () => {
  const text = (version: string): unknown => corefile(configOf(version, {}))
  assert.match(String(text('v1.18.9')), /\n {4}forward \. \/etc\/resolv\.conf\n {4}cache 30\n/)
  assert.match(String(text('v1.31.14')), /\n {7}max_concurrent 1000\n {4}\}\n {4}cache 30\n/)
  assert.match(String(text('v1.32.13')), /\n {4}cache 30 \{\n {7}disable success cluster\.local\n/)
})

test('controlPlaneUrl() is the common endpoint, else this node', () => {
  const rows: readonly (readonly [cluster: string, url: string])[] = [
    ['', 'https://10.0.0.5:6443'],
    ['controlPlaneEndpoint: cp.example.com', 'https://cp.example.com:6443'],
    ['controlPlaneEndpoint: cp.example.com:7443', 'https://cp.example.com:7443'],
    ['controlPlaneEndpoint: "fd00::10"', 'https://[fd00::10]:6443'],
    ['controlPlaneEndpoint: "[fd00::10]:9443"', 'https://[fd00::10]:9443'],
  ]
  for (const [cluster, url] of rows) assert.equal(controlPlaneUrl(configOf('v1.36.2', { cluster })), url)
})

test('cluster-info has preferences until 1.33', () => {
  const info = (version: string): JsonObject => {
    const map = clusterObjects(configOf(version, {}), INPUTS).find(({ name }) => name === 'cluster-info')
    return parse(String(at(map?.object, 'data').kubeconfig)) as JsonObject
  }
  assert.equal('preferences' in info('v1.33.13'), true)
  assert.equal('preferences' in info('v1.34.9'), false)
})
