import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { isObject, type Json, type JsonObject } from '../../lib/base/json.ts'
import type { InitConfig } from '../../lib/base/kubeadm.ts'
import { parseVersion, type Version } from '../../lib/base/version.ts'
import { loadInitConfig } from '../../lib/kubeadm/config/load-config.ts'
import { authorizationMode } from '../../lib/kubeadm/manifests/authorization.ts'
import { mergeArguments, type PodInput } from '../../lib/kubeadm/manifests/command-line.ts'
import { manifestFiles, staticPods } from '../../lib/kubeadm/manifests/manifests.ts'
import { componentArguments, staticPod } from '../../lib/kubeadm/manifests/pod.ts'
import { probeEndpoint, startupThreshold } from '../../lib/kubeadm/manifests/probes.ts'
import { refuseRootless } from '../../lib/kubeadm/manifests/rootless.ts'
import { COMPONENT_NAMES, type ComponentName } from '../../lib/kubeadm/manifests/static-pods.ts'
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

/** A configuration of one release; `cluster` and `init` are parts in v1beta4's shape. */
function configOf(
  release: string,
  cluster: Partial<InitConfig['cluster']> = {},
  init: Partial<InitConfig['init']> = {},
): InitConfig {
  const flags = { 'kubernetes-version': release, 'node-name': 'n1' }
  const { config } = loadInitConfig({ flags, detectCriSocket: false }, HOST)
  return { ...config, cluster: { ...config.cluster, ...cluster }, init: { ...config.init, ...init } }
}

function inputOf(config: InitConfig, rest: Partial<PodInput> = {}): PodInput {
  return { config, facts: HOST, externalCa: false, etcdMembers: [], ...rest }
}

/** The values of one argument of a component, in order. */
function valuesOf(component: ComponentName, name: string, input: PodInput): string[] {
  return componentArguments(component, input)
    .filter(argument => argument.name === name)
    .map(({ value }) => value)
}

function at(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((inner, key) => {
    if (Array.isArray(inner)) return inner[Number(key)]
    return isObject(inner) ? inner[key] : undefined
  }, value)
}

const arg = (name: string, value: string): { name: string; value: string } => ({ name, value })

describe('mergeArguments()', () => {
  const defaults = [arg('b', '1'), arg('a', '1'), arg('c', '1')]
  const own = [arg('z', '2'), arg('b', '9'), arg('b', '2'), arg('a', '')]
  const sorted = ['a=', 'b=2', 'b=9', 'c=1', 'z=2']
  const appended = ['c=1', 'z=2', 'b=9', 'b=2', 'a=']
  const rows = [
    ['v1.18.0', sorted],
    ['v1.32.11', sorted],
    ['v1.32.12', appended],
    ['v1.33.0', sorted],
    ['v1.33.8', appended],
    ['v1.34.3', sorted],
    ['v1.34.4', appended],
    ['v1.35.0', sorted],
    ['v1.35.1', appended],
    ['v1.36.0', appended],
  ] as const
  for (const [release, expected] of rows) {
    test(`of ${release} ${expected === sorted ? 'sorts everything' : "keeps the user's order at the end"}`, () => {
      const merged = mergeArguments(defaults, own, version(release))
      assert.deepEqual(
        merged.map(({ name, value }) => `${name}=${value}`),
        expected,
      )
    })
  }
})

describe('componentArguments() of back-ported flags', () => {
  const rows: readonly (readonly [
    release: string,
    component: ComponentName,
    name: string,
    values: readonly string[],
  ])[] = [
    ['v1.18.5', 'kube-controller-manager', 'port', []],
    ['v1.18.6', 'kube-controller-manager', 'port', ['0']],
    ['v1.22.17', 'kube-scheduler', 'port', ['0']],
    ['v1.23.0', 'kube-scheduler', 'port', []],
    ['v1.22.9', 'etcd', 'experimental-initial-corrupt-check', []],
    ['v1.22.10', 'etcd', 'experimental-initial-corrupt-check', ['true']],
    ['v1.23.6', 'etcd', 'experimental-initial-corrupt-check', []],
    ['v1.23.7', 'etcd', 'experimental-initial-corrupt-check', ['true']],
    ['v1.33.0', 'etcd', 'experimental-initial-corrupt-check', ['true']],
    ['v1.34.0', 'etcd', 'experimental-initial-corrupt-check', []],
    ['v1.24.17', 'etcd', 'experimental-watch-progress-notify-interval', []],
    ['v1.25.0', 'etcd', 'experimental-watch-progress-notify-interval', ['5s']],
    ['v1.34.0', 'etcd', 'watch-progress-notify-interval', ['5s']],
    ['v1.19.16', 'kube-apiserver', 'service-account-issuer', []],
    ['v1.20.0', 'kube-apiserver', 'service-account-issuer', ['https://kubernetes.default.svc.cluster.local']],
    ['v1.21.14', 'kube-apiserver', 'insecure-port', ['0']],
    ['v1.22.0', 'kube-apiserver', 'insecure-port', []],
  ]
  for (const [release, component, name, values] of rows) {
    test(`${release}: ${component} --${name} ${values.length > 0 ? values.join() : 'is not there'}`, () => {
      assert.deepEqual(valuesOf(component, name, inputOf(configOf(release))), values)
    })
  }
})

describe('componentArguments() of etcd', () => {
  // The flags follow the image in 1.34 and 1.35, whatever the release.
  const rows = [
    ['v1.35.3', '3.5.24-0', false],
    ['v1.35.3', '3.6.0-0', false],
    ['v1.35.3', '3.6.0', true],
    ['v1.35.3', '3.6.1-0', true],
    ['v1.35.3', 'v3.7.1', true],
    ['v1.35.3', 'mine', false],
    ['v1.36.2', '3.5.24-0', true],
    ['v1.33.2', '3.6.5-0', false],
  ] as const
  for (const [release, imageTag, graduated] of rows) {
    test(`${release} with image ${imageTag} gets ${graduated ? 'graduated' : 'experimental'} flags`, () => {
      const input = inputOf(configOf(release, { etcd: { local: { dataDir: '/d', imageTag } } }))
      assert.deepEqual(valuesOf('etcd', 'feature-gates', input), graduated ? ['InitialCorruptCheck=true'] : [])
      const interval = valuesOf('etcd', 'experimental-watch-progress-notify-interval', input)
      assert.deepEqual(interval, graduated ? [] : ['5s'])
    })
  }

  test('names the members when it joins', () => {
    const etcdMembers = [
      { name: 'n0', peerUrl: 'https://10.0.0.4:2380' },
      { name: 'n1', peerUrl: 'https://10.0.0.5:2380' },
    ]
    const input = inputOf(configOf('v1.36.2'), { etcdMembers })
    const cluster = 'n0=https://10.0.0.4:2380,n1=https://10.0.0.5:2380'
    assert.deepEqual(valuesOf('etcd', 'initial-cluster', input), [cluster])
    assert.deepEqual(valuesOf('etcd', 'initial-cluster-state', input), ['existing'])
  })
})

test('componentArguments() signs nothing with a CA that is elsewhere', () => {
  const input = inputOf(configOf('v1.36.2'), { externalCa: true })
  for (const name of ['cluster-signing-cert-file', 'cluster-signing-key-file']) {
    assert.deepEqual(valuesOf('kube-controller-manager', name, input), [''])
  }
})

describe('probeEndpoint() reads listen-metrics-urls as kubeadm', () => {
  for (const release of ['v1.20.2', 'v1.36.2']) {
    const table = new URL(`../golden/${release}/metrics-urls.json`, import.meta.url)
    const rows = JSON.parse(readFileSync(table, 'utf8')) as {
      url: string
      host: string
      port: number
      scheme: string
    }[]
    for (const { url, host, port, scheme } of rows) {
      test(`${release}: ${JSON.stringify(url)}`, () => {
        const local = { dataDir: '/d', extraArgs: [arg('listen-metrics-urls', url)] }
        const config = configOf(release, { etcd: { local } })
        assert.deepEqual(probeEndpoint('etcd', config), { host, port, scheme })
      })
    }
  }
})

describe('startupThreshold()', () => {
  // As kubeadm v1.36.2 has it.
  const rows = [
    ['4m0s', 24],
    ['1s', 1],
    ['10s', 1],
    ['10000000001ns', 2],
    ['95.5s', 10],
    ['1h1m1s', 367],
    ['24h', 8640],
    ['-15s', -1],
  ] as const
  for (const [timeout, threshold] of rows) {
    test(`of ${timeout} is ${threshold}`, () => {
      const config = configOf('v1.36.2')
      const timeouts = { ...config.init.timeouts, controlPlaneComponentHealthCheck: timeout }
      assert.equal(startupThreshold({ ...config, init: { ...config.init, timeouts } }), threshold)
    })
  }
})

describe('authorizationMode()', () => {
  const rows: readonly (readonly [
    release: string,
    given: readonly string[],
    mode: string | undefined,
    warnings: number,
  ])[] = [
    ['v1.36.2', [], 'Node,RBAC', 0],
    ['v1.36.2', ['authorization-mode=Node,RBAC'], 'Node,RBAC', 0],
    ['v1.36.2', ['authorization-mode=RBAC,Foo'], 'RBAC', 2],
    ['v1.36.2', ['authorization-mode=Foo'], 'Node,RBAC', 1],
    ['v1.36.2', ['authorization-mode=AlwaysAllow'], 'AlwaysAllow', 1],
    ['v1.36.2', ['authorization-config=/a.yaml'], undefined, 0],
    ['v1.29.6', ['authorization-config=/a.yaml'], 'Node,RBAC', 0],
  ]
  for (const [release, given, mode, warnings] of rows) {
    test(`of ${release} with ${given.join() || 'nothing'} is ${mode ?? 'not written'}`, () => {
      const extraArgs = given.map(text => arg(text.split('=')[0] ?? '', text.split('=')[1] ?? ''))
      const { mode: made, messages } = authorizationMode(configOf(release, { apiServer: { extraArgs } }))
      assert.equal(made, mode)
      assert.equal(messages.length, warnings)
    })
  }

  test("is the user's own since 1.30, and filtered before", () => {
    const apiServer = { extraArgs: [arg('authorization-mode', 'RBAC,Foo')] }
    const of = (release: string): string[] =>
      valuesOf('kube-apiserver', 'authorization-mode', inputOf(configOf(release, { apiServer })))
    assert.deepEqual([of('v1.29.6'), of('v1.30.0')], [['RBAC'], ['RBAC,Foo']])
  })
})

describe('staticPods()', () => {
  test('leaves an external etcd out', () => {
    const external = { endpoints: ['http://e:2379'], caFile: '', certFile: '', keyFile: '' }
    const pods = staticPods(configOf('v1.36.2', { etcd: { external } }), HOST)
    assert.deepEqual(
      pods.map(({ component }) => component),
      COMPONENT_NAMES.filter(component => component !== 'etcd'),
    )
  })

  test('has a Pod of every component for every minor', () => {
    for (let minor = 18; minor <= 36; minor++) {
      for (const { component, path, pod } of staticPods(configOf(`v1.${minor}.0`), HOST)) {
        assert.equal(path, `/etc/kubernetes/manifests/${component}.yaml`)
        assert.equal(at(pod, 'metadata', 'name'), component)
        assert.ok(at(pod, 'spec', 'containers', '0', 'livenessProbe', 'httpGet', 'path'), `1.${minor} ${component}`)
      }
    }
  })

  const overrides: readonly (readonly [cluster: Partial<InitConfig['cluster']>, message: RegExp | undefined])[] = [
    [{ apiServer: { extraArgs: [arg('secure-port', '7443')] } }, /--secure-port "7443".*set localAPIEndpoint/],
    [{ apiServer: { extraArgs: [arg('secure-port', '6443')] } }, undefined],
    [{ apiServer: { extraArgs: [arg('advertise-address', '10.9.9.9')] } }, /--advertise-address "10.9.9.9"/],
    [{ apiServer: { extraArgs: [arg('bind-address', '127.0.0.1')] } }, /--bind-address "127.0.0.1"/],
    [{ apiServer: { extraArgs: [arg('bind-address', '::')] } }, undefined],
    [{ scheduler: { extraArgs: [arg('secure-port', '1')] } }, /kube-scheduler gets --secure-port "1"/],
    [{ controllerManager: { extraArgs: [arg('secure-port', '10257')] } }, undefined],
    [{ controllerManager: { extraArgs: [arg('flex-volume-plugin-dir', '/f')] } }, /since 1.36 nothing mounts/],
    [{ etcd: { local: { dataDir: '/d', extraArgs: [arg('name', 'other')] } } }, /--name "other".*initial-cluster/],
    [{ etcd: { local: { dataDir: '/d', extraArgs: [arg('name', 'n1')] } } }, undefined],
    [
      { etcd: { local: { dataDir: '/d', extraArgs: [arg('name', 'x'), arg('initial-cluster', 'x=https://a:2380')] } } },
      undefined,
    ],
    [{ etcd: { local: { dataDir: '/d', extraArgs: [arg('data-dir', '/other')] } } }, /--data-dir "\/other".*dataDir/],
  ]
  for (const [cluster, message] of overrides) {
    test(`${message === undefined ? 'accepts' : 'warns of'} ${JSON.stringify(cluster)}`, () => {
      const messages = staticPods(configOf('v1.36.2', cluster), HOST).flatMap(pod => pod.messages)
      if (message === undefined) assert.deepEqual(messages, [])
      else assert.match(messages.join('\n'), message)
    })
  }
})

describe('staticPods() tells which files of an external etcd nothing mounts', () => {
  const rows: readonly (readonly [caFile: string, mounted: boolean])[] = [
    ['/etc/kubernetes/pki2/ca.crt', false],
    ['/etc/kubernetes/pki/etcd/ca.crt', true],
    ['/etc/ssl/certs-mine/ca.crt', false],
    ['/opt/etcd/ca.crt', true],
    ['/extra/deep/ca.crt', true],
  ]
  for (const [caFile, mounted] of rows) {
    test(`${caFile} is ${mounted ? 'mounted' : 'named'}`, () => {
      const external = { endpoints: ['https://e:2379'], caFile, certFile: '', keyFile: '' }
      const extraVolumes = [{ name: 'extra', hostPath: '/x', mountPath: '/extra' }]
      const config = configOf('v1.36.2', { etcd: { external }, apiServer: { extraVolumes } })
      const messages = staticPods(config, HOST).flatMap(pod => pod.messages)
      assert.equal(messages.join().includes(`"${caFile}"`), !mounted)
    })
  }
})

test('staticPod() refuses to render an external etcd', () => {
  const external = { endpoints: ['http://e:2379'], caFile: '', certFile: '', keyFile: '' }
  assert.throws(
    () => staticPod('etcd', configOf('v1.36.2', { etcd: { external } }), HOST),
    /^KubestepError: static-pod: cannot render "etcd": the configuration names an external etcd/,
  )
})

describe('the RootlessControlPlane gate', () => {
  const config = configOf('v1.36.2', { featureGates: { RootlessControlPlane: true } })

  test('staticPod() gives each component its user and what it may do', () => {
    const components = {
      etcd: { user: 101, group: 201 },
      'kube-apiserver': { user: 102, group: 202 },
      'kube-controller-manager': { user: 103, group: 203 },
      'kube-scheduler': { user: 104, group: 204 },
    }
    const pod = (component: ComponentName): JsonObject =>
      staticPod(component, config, HOST, { rootless: { components, serviceAccountKeyReaders: 300 } })
    assert.deepEqual(at(pod('kube-apiserver'), 'spec', 'securityContext'), {
      runAsGroup: 202,
      runAsUser: 102,
      seccompProfile: { type: 'RuntimeDefault' },
      supplementalGroups: [300],
    })
    assert.deepEqual(at(pod('kube-apiserver'), 'spec', 'containers', '0', 'securityContext'), {
      capabilities: { add: ['NET_BIND_SERVICE'], drop: ['ALL'] },
    })
    assert.equal(at(pod('etcd'), 'spec', 'securityContext', 'supplementalGroups'), undefined)
    assert.deepEqual(at(pod('etcd'), 'spec', 'containers', '0', 'securityContext'), {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    })
  })

  test('staticPods() says that a dry run leaves it out', () => {
    const [pod] = staticPods(config, HOST, ['kube-scheduler'])
    assert.match(pod?.messages.join() ?? '', /feature gate "RootlessControlPlane"/)
  })

  test('refuseRootless() names the gate, and lets others pass', () => {
    assert.throws(() => refuseRootless('etcd', config), /^KubestepError: etcd: cannot .* "RootlessControlPlane"/)
    refuseRootless('etcd', configOf('v1.36.2'))
  })
})

test('manifestFiles() are for root alone, and changed by the patches', () => {
  const pods = staticPods(configOf('v1.36.2'), HOST, ['kube-scheduler'])
  const [file] = manifestFiles(pods, (target, pod) => ({ ...pod, status: { target } }))
  assert.equal(file?.mode, 0o600)
  assert.equal(file?.path, '/etc/kubernetes/manifests/kube-scheduler.yaml')
  assert.match(String(file?.content), /^status:\n {2}target: kube-scheduler\n$/m)
})
