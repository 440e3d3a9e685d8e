import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ClusterConfiguration, InitConfiguration } from '../../lib/base/kubeadm.ts'
import { parseCertificate, parseCertificates } from '../../lib/kubeadm/credentials/certificate.ts'
import { chains, identityFaults } from '../../lib/kubeadm/credentials/certificate-fit.ts'
import { AUTHORITIES, CERTIFICATES, isLeaf, LEAVES, type LeafName } from '../../lib/kubeadm/credentials/certificates.ts'
import { generateKeys, type PrivateKey } from '../../lib/kubeadm/credentials/keys.ts'
import { authorityTemplate, leafIdentity, leafTemplate } from '../../lib/kubeadm/credentials/template.ts'
import { authorityValidity, leafValidity, validityFault } from '../../lib/kubeadm/credentials/validity.ts'
import { type CertificateTemplate, certificate, type Usage } from '../../lib/kubeadm/credentials/x509.ts'
import { initConfig, NOW } from '../pki.ts'

function leaf(name: LeafName): (typeof LEAVES)[number] {
  const spec = LEAVES.find(one => one.name === name)
  if (spec === undefined) throw new Error(`no ${name}`)
  return spec
}

describe('the certificate table', () => {
  it('lists every CA before what it signs', () => {
    const seen = new Set<string>()
    for (const spec of CERTIFICATES) {
      if (isLeaf(spec)) assert.ok(seen.has(spec.authority), spec.name)
      seen.add(spec.name)
    }
    assert.equal(CERTIFICATES.length, AUTHORITIES.length + LEAVES.length)
  })

  const MASTERS = ['system:masters']
  const ADMINS = ['kubeadm:cluster-admins']
  const organizations: readonly (readonly [name: LeafName, release: string, expected: readonly string[]])[] = [
    ['apiserver', 'v1.18.0', []],
    ['apiserver-kubelet-client', 'v1.18.0', MASTERS],
    ['apiserver-kubelet-client', 'v1.28.15', MASTERS],
    ['apiserver-kubelet-client', 'v1.29.0', ADMINS],
    ['apiserver-kubelet-client', 'v1.32.13', ADMINS],
    ['apiserver-kubelet-client', 'v1.33.11', ADMINS],
    ['apiserver-kubelet-client', 'v1.33.12', []],
    ['apiserver-kubelet-client', 'v1.34.7', ADMINS],
    ['apiserver-kubelet-client', 'v1.34.8', []],
    ['apiserver-kubelet-client', 'v1.35.4', ADMINS],
    ['apiserver-kubelet-client', 'v1.35.5', []],
    ['apiserver-kubelet-client', 'v1.36.0', ADMINS],
    ['apiserver-kubelet-client', 'v1.36.1', []],
    ['apiserver-etcd-client', 'v1.28.0', MASTERS],
    ['apiserver-etcd-client', 'v1.29.0', []],
    ['etcd-healthcheck-client', 'v1.28.0', MASTERS],
    ['etcd-healthcheck-client', 'v1.29.0', []],
    ['front-proxy-client', 'v1.20.2', []],
  ]
  for (const [name, release, expected] of organizations) {
    it(`leafIdentity() of ${name} in ${release} has the organizations [${expected}]`, () =>
      assert.deepEqual(leafIdentity(leaf(name), initConfig(release)).subject.organizations, expected))
  }
})

describe('names', () => {
  const cluster = (part: Partial<ClusterConfiguration>): Partial<ClusterConfiguration> => part
  const advertise = (advertiseAddress: string): Partial<InitConfiguration> => ({
    localAPIEndpoint: { advertiseAddress, bindPort: 6443 },
  })
  const basic = [
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
    'n1',
  ]
  const rows: readonly {
    readonly what: string
    readonly name?: LeafName
    readonly release?: string
    readonly cluster?: Partial<ClusterConfiguration>
    readonly init?: Partial<InitConfiguration>
    readonly dnsNames: readonly string[]
    readonly ipAddresses: readonly string[]
  }[] = [
    { what: 'defaults', dnsNames: basic, ipAddresses: ['10.96.0.1', '10.0.0.5'] },
    {
      what: 'IPv6 first, with a service subnet of each family',
      cluster: cluster({ networking: { serviceSubnet: 'FD00:10:96::/112,10.96.0.0/16', dnsDomain: 'cluster.local' } }),
      init: advertise('FD00::5'),
      dnsNames: basic,
      ipAddresses: ['fd00:10:96::1', 'fd00::5'],
    },
    {
      what: 'an address as common endpoint, twice the same',
      cluster: cluster({ controlPlaneEndpoint: '10.0.0.5:8443', apiServer: { certSANs: ['10.0.0.5'] } }),
      dnsNames: basic,
      ipAddresses: ['10.96.0.1', '10.0.0.5'],
    },
    {
      what: 'IPv6 in brackets as common endpoint',
      cluster: cluster({ controlPlaneEndpoint: '[fd00::9]:6443' }),
      dnsNames: basic,
      ipAddresses: ['10.96.0.1', '10.0.0.5', 'fd00::9'],
    },
    {
      what: 'IPv6 without port as common endpoint',
      cluster: cluster({ controlPlaneEndpoint: 'fd00::9' }),
      dnsNames: basic,
      ipAddresses: ['10.96.0.1', '10.0.0.5', 'fd00::9'],
    },
    {
      what: 'a name without port as common endpoint',
      cluster: cluster({ controlPlaneEndpoint: 'api.example.com' }),
      dnsNames: ['api.example.com', ...basic],
      ipAddresses: ['10.96.0.1', '10.0.0.5'],
    },
    {
      what: 'names in capitals, wildcards, and one that is none',
      cluster: cluster({ apiServer: { certSANs: ['LOCALHOST', '*.Example.com', 'a_b', '010.1.1.1'] } }),
      dnsNames: ['*.example.com', ...basic.slice(0, 4), 'localhost', 'n1'],
      ipAddresses: ['10.96.0.1', '10.0.0.5', '10.1.1.1'],
    },
    {
      what: 'another DNS domain and a small subnet',
      cluster: cluster({ networking: { serviceSubnet: '172.30.0.0/29', dnsDomain: 'k8s.test' } }),
      dnsNames: ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.k8s.test', 'n1'],
      ipAddresses: ['172.30.0.1', '10.0.0.5'],
    },
    {
      what: 'etcd on the loopback address',
      name: 'etcd-server',
      init: advertise('127.0.0.1'),
      dnsNames: ['localhost', 'n1'],
      ipAddresses: ['127.0.0.1', '::1'],
    },
    {
      what: 'more names for etcd peers than for its server',
      name: 'etcd-peer',
      cluster: cluster({
        etcd: { local: { dataDir: '/', serverCertSANs: ['s.test'], peerCertSANs: ['p.test', '10.9.9.9'] } },
      }),
      dnsNames: ['localhost', 'n1', 'p.test'],
      ipAddresses: ['10.0.0.5', '127.0.0.1', '::1', '10.9.9.9'],
    },
    {
      what: '1.18, which kept order and duplicates',
      name: 'etcd-server',
      release: 'v1.18.9',
      init: advertise('127.0.0.1'),
      dnsNames: ['n1', 'localhost'],
      ipAddresses: ['127.0.0.1', '127.0.0.1', '::1'],
    },
    { what: 'a client', name: 'front-proxy-client', dnsNames: [], ipAddresses: [] },
  ]
  for (const { what, name = 'apiserver', release, cluster, init, dnsNames, ipAddresses } of rows) {
    it(`leafIdentity() of ${name}: ${what}`, () =>
      assert.deepEqual(leafIdentity(leaf(name), initConfig(release, cluster, init)).names, { dnsNames, ipAddresses }))
  }
})

describe('validity', () => {
  const start = '2026-11-23T14:20:00.000Z'
  const early = '2026-11-23T14:15:00.000Z'
  for (const [release, authority, leaf] of [
    ['v1.18.0', start, start],
    ['v1.25.12', start, start],
    ['v1.25.13', early, early],
    ['v1.26.0', start, start],
    ['v1.26.8', early, early],
    ['v1.27.4', start, start],
    ['v1.27.5', early, early],
    ['v1.28.0', early, early],
    ['v1.31.0', early, early],
    ['v1.36.2', early, early],
  ] as const) {
    it(`in ${release} a CA begins at ${authority}`, () => {
      const validity = authorityValidity(initConfig(release), NOW)
      assert.equal(validity.notBefore.toISOString(), authority)
      assert.equal(validity.notAfter.toISOString(), '2036-11-20T14:20:00.000Z')
      const own = leafValidity(initConfig(release), NOW, validity)
      assert.equal(own.notBefore.toISOString(), leaf)
      assert.equal(own.notAfter.toISOString(), '2027-11-23T14:20:00.000Z')
    })
  }

  it('a leaf of an old CA begins with it until 1.30, and with the run since 1.31', () => {
    const authority = { notBefore: new Date('2020-01-01T00:00:00Z'), notAfter: new Date('2030-01-01T00:00:00Z') }
    const begin = (release: string): string => leafValidity(initConfig(release), NOW, authority).notBefore.toISOString()
    assert.equal(begin('v1.30.14'), '2020-01-01T00:00:00.000Z')
    assert.equal(begin('v1.31.0'), early)
  })

  it('validityFault() knows both ends', () => {
    const validity = { notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date('2027-01-01T00:00:00Z') }
    assert.equal(validityFault(validity, new Date('2026-01-01T00:00:00Z')), undefined)
    assert.equal(validityFault(validity, new Date('2027-01-01T00:00:00Z')), undefined)
    assert.equal(
      validityFault(validity, new Date('2025-12-31T23:59:59Z')),
      'it is not valid before 2026-01-01T00:00:00Z',
    )
    assert.equal(validityFault(validity, new Date('2027-01-01T00:00:01Z')), 'it expired on 2027-01-01T00:00:00Z')
  })
})

// Not inside the suite: not every runtime waits for one.
const [root, middle, last] = (await generateKeys('ECDSA-P256', 3)) as [PrivateKey, PrivateKey, PrivateKey]

describe('fit', () => {
  const config = initConfig()
  const [authority] = AUTHORITIES
  if (authority === undefined) throw new Error('no CA')
  const template = (commonName: string, more: Partial<CertificateTemplate> = {}): CertificateTemplate => ({
    ...authorityTemplate({ ...authority, commonName }, config, NOW),
    ...more,
  })
  const rootCa = parseCertificate(certificate(template('root'), root))
  const middleCa = parseCertificate(
    certificate(template('middle'), middle, { key: root, subject: rootCa.subjectBytes }),
  )
  const deep = parseCertificate(
    certificate(leafTemplate(leaf('apiserver'), config, NOW, rootCa), last, {
      key: middle,
      subject: middleCa.subjectBytes,
    }),
  )

  it('chains() goes through intermediates, and only through CAs', () => {
    assert.equal(chains(deep, [middleCa], rootCa), true)
    assert.equal(chains(deep, [], rootCa), false)
    assert.equal(chains(deep, [], middleCa), true)
    assert.equal(chains(middleCa, [], rootCa), true)
    assert.equal(chains(deep, [deep, middleCa, middleCa], rootCa), true)
    const noCa = parseCertificate(
      certificate(template('middle', { ca: false }), middle, { key: root, subject: rootCa.subjectBytes }),
    )
    assert.equal(chains(deep, [noCa], rootCa), false)
  })

  it('chains() wants the signature, not the name', () => {
    const impostor = parseCertificate(certificate(template('root'), middle))
    assert.equal(chains(middleCa, [], impostor), false)
  })

  const expected = leafIdentity(leaf('apiserver'), config)
  const made = (change: Partial<CertificateTemplate>) =>
    parseCertificate(
      certificate({ ...leafTemplate(leaf('apiserver'), config, NOW, rootCa), ...change }, last, {
        key: root,
        subject: rootCa.subjectBytes,
      }),
    )
  const wildcards = (dnsNames: readonly string[]): Partial<CertificateTemplate> => ({
    names: { dnsNames, ipAddresses: expected.names.ipAddresses },
  })
  const rows: readonly (readonly [what: string, change: Partial<CertificateTemplate>, faults: readonly string[]])[] = [
    ['as expected', {}, []],
    [
      'another common name',
      { subject: { commonName: 'x', organizations: [] } },
      ['it names "x" where "kube-apiserver" is expected'],
    ],
    [
      'more names',
      { names: { dnsNames: [...expected.names.dnsNames, 'a'], ipAddresses: [...expected.names.ipAddresses, '::1'] } },
      [],
    ],
    [
      'fewer names',
      { names: { dnsNames: expected.names.dnsNames.slice(1), ipAddresses: ['10.96.0.1'] } },
      ['it is not valid for kubernetes and 10.0.0.5'],
    ],
    [
      'wildcards for one label, in any case',
      wildcards(['*.DEFAULT.svc', '*.default.svc.cluster.local', 'kubernetes', 'kubernetes.default', 'n1']),
      [],
    ],
    [
      'a wildcard for two labels',
      wildcards(['*.svc.cluster.local', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'n1']),
      ['it is not valid for kubernetes.default.svc.cluster.local'],
    ],
    ['another usage', { usages: ['clientAuth'] }, ['it lacks the usage serverAuth']],
    ['no usages at all, which allows any', { usages: [] }, []],
  ]
  const usages: readonly Usage[] = ['serverAuth']
  for (const [what, change, faults] of rows) {
    it(`identityFaults() of ${what}`, () =>
      assert.deepEqual(identityFaults(made(change), { ...expected, usages }), faults))
  }

  it('identityFaults() wants each organization, and takes the masters for any', () => {
    const subject = { commonName: 'kube-apiserver', organizations: ['kubeadm:cluster-admins', 'b'] }
    const faults = (organizations: readonly string[]): readonly string[] =>
      identityFaults(made({ subject: { ...subject, organizations } }), { ...expected, subject, usages })
    assert.deepEqual(faults(['b', 'kubeadm:cluster-admins', 'c']), [])
    assert.deepEqual(faults(['system:masters']), [])
    assert.deepEqual(faults(['c']), ['it lacks the organization "kubeadm:cluster-admins" and "b"'])
  })

  it('parseCertificates() reads what certificate() wrote', () => {
    const read = made({})
    assert.deepEqual(read.subject, expected.subject)
    assert.deepEqual(read.names, expected.names)
    assert.equal(read.ca, false)
    assert.equal(rootCa.ca, true)
    assert.equal(rootCa.signsCertificates, true)
    assert.equal(read.signsCertificates, false)
  })

  for (const [what, pem, message] of [
    ['a key', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', /it holds no certificate/],
    ['three zeros', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', /./],
    ['an empty sequence', '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n', /it is not a certificate/],
    ['nothing', '', /it is empty/],
  ] as const) {
    it(`parseCertificates() refuses ${what}`, () =>
      assert.throws(() => parseCertificates(pem), { name: 'RangeError', message }))
  }
})
