import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ClusterConfiguration, InitConfiguration } from '../../lib/base/kubeadm.ts'
import { parseVersion } from '../../lib/base/version.ts'
import { parse, stringify } from '../../lib/base/yaml.ts'
import { kubeconfigText } from '../../lib/kubeadm/credentials/kubeconfig-file.ts'
import {
  externalServer,
  KUBECONFIGS,
  type KubeconfigName,
  kubeconfigServer,
  kubeconfigSubject,
  kubeconfigsOf,
} from '../../lib/kubeadm/credentials/kubeconfigs.ts'
import { type Host, hostWith, initConfig, issue, PKI, without } from '../pki.ts'

function spec(name: KubeconfigName): (typeof KUBECONFIGS)[number] {
  const found = KUBECONFIGS.find(one => one.name === name)
  if (found === undefined) throw new Error(`no ${name}`)
  return found
}

const config = initConfig()
const complete = hostWith((await issue(config)).files)
const other = hostWith((await issue(config)).files)

describe('the kubeconfig table', () => {
  const LOCAL = 'https://10.0.0.5:6443'
  const COMMON = 'https://api.example.com:6443'
  const endpoint: Partial<ClusterConfiguration> = { controlPlaneEndpoint: 'api.example.com:6443' }
  const gate = (on: boolean): Partial<ClusterConfiguration> => ({
    ...endpoint,
    featureGates: { ControlPlaneKubeletLocalMode: on },
  })
  const rows: readonly (readonly [
    name: KubeconfigName,
    release: string,
    cluster: Partial<ClusterConfiguration>,
    server: string,
  ])[] = [
    ['admin', 'v1.18.0', endpoint, COMMON],
    ['admin', 'v1.36.2', endpoint, COMMON],
    ['admin', 'v1.36.2', {}, LOCAL],
    ['admin', 'v1.36.2', { controlPlaneEndpoint: 'api.example.com' }, COMMON],
    ['admin', 'v1.36.2', { controlPlaneEndpoint: 'fd00::1' }, 'https://[fd00::1]:6443'],
    ['admin', 'v1.36.2', { controlPlaneEndpoint: '[fd00::1]:8443' }, 'https://[fd00::1]:8443'],
    ['super-admin', 'v1.29.0', endpoint, COMMON],
    ['controller-manager', 'v1.18.20', endpoint, COMMON],
    ['controller-manager', 'v1.19.0', endpoint, COMMON],
    ['controller-manager', 'v1.19.1', endpoint, LOCAL],
    ['scheduler', 'v1.19.0', endpoint, COMMON],
    ['scheduler', 'v1.36.2', endpoint, LOCAL],
    ['kubelet', 'v1.18.0', endpoint, COMMON],
    ['kubelet', 'v1.30.0', gate(true), COMMON],
    ['kubelet', 'v1.31.0', endpoint, COMMON],
    ['kubelet', 'v1.31.0', gate(true), LOCAL],
    ['kubelet', 'v1.32.0', endpoint, COMMON],
    ['kubelet', 'v1.33.0', endpoint, LOCAL],
    ['kubelet', 'v1.34.0', gate(false), COMMON],
    ['kubelet', 'v1.35.0', gate(false), LOCAL],
    ['kubelet', 'v1.36.2', endpoint, LOCAL],
  ]
  for (const [name, release, cluster, server] of rows) {
    it(`kubeconfigServer() of ${name} in ${release} with ${JSON.stringify(cluster)} is ${server}`, () =>
      assert.equal(kubeconfigServer(spec(name), initConfig(release, cluster)), server))
  }

  it('kubeconfigServer() puts IPv6 in brackets', () => {
    const init: Partial<InitConfiguration> = { localAPIEndpoint: { advertiseAddress: 'FD00::5', bindPort: 7443 } }
    assert.equal(kubeconfigServer(spec('scheduler'), initConfig('v1.36.2', {}, init)), 'https://[fd00::5]:7443')
  })

  it('externalServer() of the kubelet is the common endpoint, as kubeadm validates it', () => {
    assert.equal(externalServer(spec('kubelet'), initConfig('v1.36.2', endpoint)), COMMON)
    assert.equal(externalServer(spec('scheduler'), initConfig('v1.36.2', endpoint)), LOCAL)
  })

  for (const [name, release, commonName, organizations] of [
    ['admin', 'v1.28.0', 'kubernetes-admin', ['system:masters']],
    ['admin', 'v1.29.0', 'kubernetes-admin', ['kubeadm:cluster-admins']],
    ['super-admin', 'v1.29.0', 'kubernetes-super-admin', ['system:masters']],
    ['kubelet', 'v1.36.2', 'system:node:n1', ['system:nodes']],
    ['controller-manager', 'v1.36.2', 'system:kube-controller-manager', []],
    ['scheduler', 'v1.36.2', 'system:kube-scheduler', []],
  ] as const) {
    it(`kubeconfigSubject() of ${name} in ${release}`, () =>
      assert.deepEqual(kubeconfigSubject(spec(name), initConfig(release)), { commonName, organizations }))
  }

  it('kubeconfigsOf() knows super-admin.conf since 1.29', () => {
    const names = (release: string): number => kubeconfigsOf(initConfig(release).kubeadm).length
    assert.equal(names('v1.28.15'), 4)
    assert.equal(names('v1.29.0'), 5)
  })

  it('kubeconfigText() has preferences until 1.33, and no empty data', () => {
    const made = (release: string): string => {
      const version = parseVersion(release)
      if (version === undefined) throw new Error('no version')
      return kubeconfigText({ server: 'https://a', cluster: 'c', user: 'u' }, version)
    }
    assert.ok(made('v1.33.13').includes('\npreferences: {}\n'))
    assert.equal(
      made('v1.34.0'),
      'apiVersion: v1\nclusters:\n- cluster:\n    server: https://a\n  name: c\ncontexts:\n- context:\n    cluster: c\n    user: u\n  name: u@c\ncurrent-context: u@c\nkind: Config\nusers:\n- name: u\n  user: {}\n',
    )
  })
})

const ADMIN = '/etc/kubernetes/admin.conf'
const adminText = complete[ADMIN] ?? ''

interface Loose {
  clusters: { cluster: Record<string, string> }[]
  users: { name: string; user: Record<string, string> }[]
  'current-context': string
}

/** admin.conf after a change by hand. */
function edited(change: (config: Loose) => void): string {
  const object = structuredClone(parse(adminText)) as unknown as Loose
  change(object)
  return stringify(object)
}

const cluster = (change: Record<string, string>): string =>
  edited(object => Object.assign(object.clusters[0]?.cluster ?? {}, change))
const user = (change: Record<string, string>): string =>
  edited(object => Object.assign(object.users[0]?.user ?? {}, change))
const base64 = (path: string, host: Host = complete): string => Buffer.from(host[path] ?? '').toString('base64')

describe('an existing kubeconfig', () => {
  const pem = (path: string, host: Host = complete): string => host[`${PKI}/${path}`] ?? ''
  const both = Buffer.from(`${pem('front-proxy-ca.crt')}${pem('ca.crt')}`).toString('base64')
  const CA = 'certificate-authority-data'
  const refused: readonly (readonly [what: string, text: string, reason: RegExp])[] = [
    ['empty', '', /it is empty/],
    ['no YAML', 'a: {b', /it is not valid YAML/],
    ['a list', '- a', /it is not a kubeconfig/],
    ['something else', 'kind: Pod\n', /it is not a kubeconfig/],
    [
      'without current context',
      edited(object => {
        object['current-context'] = 'x'
      }),
      /its current context "x" is not among its contexts/,
    ],
    [
      'without its cluster',
      edited(object => {
        object.clusters = []
      }),
      /names the cluster "kubernetes", which is not in it/,
    ],
    [
      'without a CA',
      edited(object => {
        delete object.clusters[0]?.cluster[CA]
      }),
      /it holds no CA certificate/,
    ],
    ['with a CA that is not base64', cluster({ [CA]: '!!!' }), /its certificate-authority-data is not valid base64/],
    ['with a CA that is none', cluster({ [CA]: 'Zm9v' }), /of its CA certificate: it holds no PEM block/],
    [
      'with a foreign CA',
      cluster({ [CA]: base64(`${PKI}/ca.crt`, other) }),
      /it does not contain a trusted CA .* \(CA certificates found: 1\)/,
    ],
    [
      'with our CA in second place',
      cluster({ [CA]: both }),
      /it does not contain a trusted CA .* \(CA certificates found: 2\)/,
    ],
    [
      'with a CA in a file that is not there',
      edited(object => {
        object.clusters[0] = {
          ...object.clusters[0],
          cluster: { server: 'x', 'certificate-authority': 'pki/none.crt' },
        }
      }),
      /it holds no CA certificate/,
    ],
    [
      'with a damaged client certificate',
      user({ 'client-certificate-data': 'Zm9v' }),
      /of its client certificate: it holds no PEM block/,
    ],
    ['with a damaged client key', user({ 'client-key-data': 'Zm9v' }), /of its client key: it holds no PEM block/],
    [
      'with another client key',
      user({ 'client-key-data': base64(`${PKI}/sa.key`) }),
      /its client key does not belong to its client certificate/,
    ],
  ]
  for (const [what, text, reason] of refused) {
    it(`is refused when it is ${what}`, async () => {
      await assert.rejects(issue(config, { ...complete, [ADMIN]: text }), (error: Error) => {
        assert.match(error.message, reason)
        assert.match(
          error.message,
          /^kubeconfig: cannot keep "\/etc\/kubernetes\/admin.conf": .*; delete it and run 'kubeconfig admin' again$/,
        )
        return true
      })
    })
  }

  it('is refused when its client certificate expired', async () => {
    const admin = { certificates: [], kubeconfigs: ['admin'] } as const
    await assert.rejects(
      issue(config, complete, { ...admin, now: new Date('2028-01-01T00:00:00Z') }),
      /of its client certificate: it expired on 2027-11-23T14:20:00Z; delete it/,
    )
  })

  const kept: readonly (readonly [what: string, text: string, warning?: RegExp])[] = [
    ['as it was made', adminText],
    ['JSON', JSON.stringify(parse(adminText))],
    [
      'with our CA first of several',
      cluster({ [CA]: Buffer.from(`${pem('ca.crt')}${pem('front-proxy-ca.crt')}`).toString('base64') }),
    ],
    ['with white space around its CA', cluster({ [CA]: Buffer.from(`\n ${pem('ca.crt')}\n\n`).toString('base64') })],
    [
      'with a CA in a file',
      edited(object => {
        object.clusters[0] = {
          ...object.clusters[0],
          cluster: { server: 'https://10.0.0.5:6443', 'certificate-authority': `${PKI}/ca.crt` },
        }
      }),
    ],
    [
      'with a CA in a file beside it',
      edited(object => {
        object.clusters[0] = {
          ...object.clusters[0],
          cluster: { server: 'https://10.0.0.5:6443', 'certificate-authority': 'pki/ca.crt' },
        }
      }),
    ],
    [
      'without users',
      edited(object => {
        object.users = []
      }),
    ],
    [
      'with a token',
      edited(object => {
        object.users = [{ name: 'kubernetes-admin', user: { token: 'secret' } }]
      }),
    ],
    [
      'with a client certificate in a file that is not there yet',
      edited(object => {
        object.users = [
          {
            name: 'kubernetes-admin',
            user: {
              'client-certificate': '/var/lib/kubelet/pki/current.pem',
              'client-key': '/var/lib/kubelet/pki/current.pem',
            },
          },
        ]
      }),
    ],
    [
      'with another server',
      cluster({ server: 'https://lb:6443' }),
      /is kept, but it has an unexpected API Server URL: expected: https:\/\/10.0.0.5:6443, got: https:\/\/lb:6443/,
    ],
    [
      'of a client that another CA signed',
      edited(object => {
        const foreign = (parse(other[ADMIN] ?? '') as unknown as Loose).users[0]
        if (foreign) object.users = [foreign]
      }),
      /is kept, but its client certificate is not signed by the CA/,
    ],
  ]
  for (const [what, text, warning] of kept) {
    it(`is kept ${what}`, async () => {
      const { files, messages, warnings } = await issue(config, { ...complete, [ADMIN]: text })
      assert.deepEqual(files, [])
      assert.ok(messages.includes(`[kubeconfig] Using existing kubeconfig file: "${ADMIN}"`))
      assert.equal(warnings.length, warning === undefined ? 0 : 1, warnings.join('\n'))
      if (warning !== undefined) assert.match(warnings[0] ?? '', warning)
    })
  }

  it('is refused when its CA is yet to be made', async () => {
    await assert.rejects(
      issue(config, { [ADMIN]: adminText }),
      /^KubestepError: kubeconfig: cannot keep .*: its CA .* is missing; put it there, or delete it and run 'kubeconfig admin' again$/,
    )
  })

  it('may embed any certificate of a bundle in ca.crt; new ones embed the first', async () => {
    const bundle = { ...complete, [`${PKI}/ca.crt`]: `${pem('ca.crt')}${pem('ca.crt', other)}` }
    const host = { ...without(bundle, 'scheduler.conf'), [ADMIN]: cluster({ [CA]: base64(`${PKI}/ca.crt`, other) }) }
    const { files } = await issue(config, host, { certificates: [] })
    assert.deepEqual(
      files.map(({ path }) => path),
      ['/etc/kubernetes/scheduler.conf'],
    )
    assert.ok(String(files[0]?.content).includes(base64(`${PKI}/ca.crt`)))
  })

  it('needs a CA to be made, and a key to be signed', async () => {
    const only = { certificates: [], kubeconfigs: ['admin', 'scheduler'] } as const
    await assert.rejects(issue(config, {}, only), /the CA .* is missing; run 'certs ca' first\n.*scheduler.conf/)
    await assert.rejects(
      issue(config, without(complete, 'pki/ca.key', '/admin.conf'), only),
      /has no key here \(external CA\)/,
    )
  })

  it('is not made by releases that do not know it', async () => {
    const only = { certificates: ['ca'], kubeconfigs: ['super-admin'] } as const
    await assert.rejects(
      issue(initConfig('v1.28.0'), {}, only),
      /kubeadm v1.28.0 has none; leave it out, or choose Kubernetes 1.29 or later/,
    )
  })

  it('may lie in another folder', async () => {
    const { files } = await issue(config, complete, { certificates: [], directories: { kubeconfigs: '/srv/conf' } })
    assert.deepEqual(
      files.map(({ path }) => path),
      ['admin', 'super-admin', 'kubelet', 'controller-manager', 'scheduler'].map(one => `/srv/conf/${one}.conf`),
    )
  })
})
