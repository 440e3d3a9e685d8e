import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseVersion, type Version } from '../../lib/base/version.ts'
import { loadInitConfig } from '../../lib/kubeadm/config/load-config.ts'
import {
  type ImageConfig,
  type ImageName,
  imageList,
  imageOf,
  imagesObject,
  tagOf,
} from '../../lib/kubeadm/images/image-list.ts'
import { bundledVersions, defaultImageRepository } from '../../lib/kubeadm/images/image-versions.ts'
import type { HostFacts } from '../../lib/machine/host/facts.ts'

const HOST: HostFacts = {
  hostname: 'n1',
  directories: [],
  proxyEnvironment: [],
  systemdResolved: false,
  criSockets: [],
  defaultAddress: { ipv4: '10.0.0.5' },
  loopbackAddress: {},
}

function version(text: string): Version {
  const parsed = parseVersion(text)
  assert.ok(parsed, text)
  return parsed
}

function configOf(
  kubernetes: string,
  rest: { kubeadm?: string; repository?: string; body?: string } = {},
): ImageConfig {
  const { kubeadm, repository, body } = rest
  const release = version((kubeadm ?? kubernetes).replace('ci/', ''))
  const api = release.minor >= 31 ? 'v1beta4' : release.minor >= 22 ? 'v1beta3' : 'v1beta2'
  const lines = [`apiVersion: kubeadm.k8s.io/${api}`, 'kind: ClusterConfiguration', `kubernetesVersion: ${kubernetes}`]
  if (repository !== undefined) lines.push(`imageRepository: ${repository}`)
  if (body !== undefined) lines.push(body)
  const flags = kubeadm === undefined ? {} : { 'kubeadm-version': kubeadm }
  return loadInitConfig({ text: `${lines.join('\n')}\n`, file: 'f.yaml', flags, detectCriSocket: false }, HOST).config
}

describe('imageList()', () => {
  test('of v1.18.3 from a mirror, in the order of its kubeadm', () => {
    const repository = 'registry.aliyuncs.com/google_containers'
    assert.deepEqual(imageList(configOf('v1.18.3', { repository })), [
      `${repository}/kube-apiserver:v1.18.3`,
      `${repository}/kube-controller-manager:v1.18.3`,
      `${repository}/kube-scheduler:v1.18.3`,
      `${repository}/kube-proxy:v1.18.3`,
      `${repository}/pause:3.2`,
      `${repository}/etcd:3.4.3-0`,
      `${repository}/coredns:1.6.7`,
    ])
  })

  test('leaves out what the configuration disables', () => {
    const body = 'dns: {disabled: true}\nproxy: {disabled: true}\netcd:\n  external:\n    endpoints: ["http://e:2379"]'
    assert.deepEqual(imageList(configOf('v1.36.2', { body })), [
      'registry.k8s.io/kube-apiserver:v1.36.2',
      'registry.k8s.io/kube-controller-manager:v1.36.2',
      'registry.k8s.io/kube-scheduler:v1.36.2',
      'registry.k8s.io/pause:3.10.2',
    ])
  })

  test('knows every minor from 1.18 to 1.36', () => {
    for (let minor = 18; minor <= 36; minor++) {
      const images = imageList(configOf(`v1.${minor}.0`))
      assert.equal(images.length, 7, `1.${minor}`)
      assert.ok(
        images.every(image => /^[a-z0-9.]+(\/[a-z-]+)+:v?[0-9.]+(-[0-9])?$/.test(image)),
        images.join(),
      )
    }
  })
})

describe('imageOf()', () => {
  const rows: readonly (readonly [name: ImageName, config: ImageConfig, image: string])[] = [
    // CoreDNS has a folder of its own in the default registry since 1.21; 1.21.0 and 1.21.1 looked for it in mirrors, too.
    ['coredns', configOf('v1.20.15'), 'k8s.gcr.io/coredns:1.7.0'],
    ['coredns', configOf('v1.21.0'), 'k8s.gcr.io/coredns/coredns:v1.8.0'],
    ['coredns', configOf('v1.21.1', { repository: 'm.example/k8s' }), 'm.example/k8s/coredns/coredns:v1.8.0'],
    ['coredns', configOf('v1.21.2', { repository: 'm.example/k8s' }), 'm.example/k8s/coredns:v1.8.0'],
    ['coredns', configOf('v1.25.0', { repository: 'k8s.gcr.io' }), 'k8s.gcr.io/coredns:v1.9.3'],
    ['coredns', configOf('v1.36.2', { repository: 'registry.k8s.io' }), 'registry.k8s.io/coredns/coredns:v1.14.2'],
    [
      'coredns',
      configOf('v1.36.2', {
        repository: 'm.example',
        body: 'dns:\n  imageRepository: registry.k8s.io\n  imageTag: v9',
      }),
      'registry.k8s.io/coredns/coredns:v9',
    ],
    // etcd follows kubeadm, except for an older Kubernetes in a few releases.
    ['etcd', configOf('v1.35.3', { kubeadm: 'v1.36.2' }), 'registry.k8s.io/etcd:3.6.8-0'],
    ['etcd', configOf('v1.18.8', { kubeadm: 'v1.19.4' }), 'k8s.gcr.io/etcd:3.4.3-0'],
    ['etcd', configOf('v1.21.3', { kubeadm: 'v1.22.4' }), 'k8s.gcr.io/etcd:3.4.13-0'],
    ['etcd', configOf('v1.33.2', { kubeadm: 'v1.34.1' }), 'registry.k8s.io/etcd:3.5.21-0'],
    ['etcd', configOf('v1.33.2', { kubeadm: 'v1.34.2' }), 'registry.k8s.io/etcd:3.5.24-0'],
    ['etcd', configOf('v1.34.2', { kubeadm: 'v1.35.3' }), 'registry.k8s.io/etcd:3.6.6-0'],
    [
      'etcd',
      configOf('v1.36.2', { body: 'etcd:\n  local:\n    imageRepository: e.example/x\n    imageTag: v3.5.0' }),
      'e.example/x/etcd:v3.5.0',
    ],
    // CI builds are in a registry of their own, which mirrors do not have.
    ['kube-proxy', configOf('ci/v1.36.2+abc'), 'gcr.io/k8s-staging-ci-images/kube-proxy:v1.36.2_abc'],
    ['kube-proxy', configOf('ci/v1.36.2+abc', { repository: 'm.example' }), 'm.example/kube-proxy:v1.36.2_abc'],
    ['kube-proxy', configOf('ci/v1.20.2'), 'gcr.io/kubernetes-ci-images/kube-proxy:v1.20.2'],
    ['kube-proxy', configOf('ci/v1.20.3'), 'gcr.io/k8s-staging-ci-images/kube-proxy:v1.20.3'],
    ['pause', configOf('ci/v1.36.2'), 'registry.k8s.io/pause:3.10.2'],
    ['pause', configOf('v1.22.17', { repository: 'm.example:5000/a' }), 'm.example:5000/a/pause:3.5'],
  ]
  for (const [name, config, image] of rows) {
    test(`of ${name} is ${image}`, () => assert.equal(imageOf(name, config), image))
  }
})

describe('defaultImageRepository()', () => {
  const rows = [
    ['v1.18.0', 'k8s.gcr.io'],
    ['v1.22.16', 'k8s.gcr.io'],
    ['v1.22.17', 'registry.k8s.io'],
    ['v1.23.14', 'k8s.gcr.io'],
    ['v1.23.15', 'registry.k8s.io'],
    ['v1.24.8', 'k8s.gcr.io'],
    ['v1.24.9', 'registry.k8s.io'],
    ['v1.25.0', 'registry.k8s.io'],
  ] as const
  for (const [kubeadm, registry] of rows) {
    test(`of ${kubeadm} is ${registry}`, () => assert.equal(defaultImageRepository(version(kubeadm)), registry))
  }
})

test('bundledVersions() of a release newer than all is that of the newest', () => {
  assert.deepEqual(bundledVersions(version('v1.99.0')), bundledVersions(version('v1.36.2')))
})

test('imagesObject() has the API version of the release', () => {
  const versions = ['v1.18.0', 'v1.22.4', 'v1.23.0', 'v1.30.0', 'v1.31.0', 'v1.36.2']
  assert.deepEqual(
    versions.map(name => imagesObject(configOf(name)).apiVersion.replace('output.kubeadm.k8s.io/', '')),
    ['v1alpha1', 'v1alpha1', 'v1alpha2', 'v1alpha2', 'v1alpha3', 'v1alpha3'],
  )
})

test('tagOf() replaces what a tag cannot hold', () => {
  assert.equal(tagOf('v1.36.2-alpha.1+abc/ü'), 'v1.36.2-alpha.1_abc__')
})
