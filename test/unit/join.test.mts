/** Joins without a cluster: what is asked for, what is shared, and how a member of etcd is known. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { objectOf } from '../../lib/base/json.ts'
import type { InitConfig } from '../../lib/base/kubeadm.ts'
import { stringify } from '../../lib/base/yaml.ts'
import { parseArguments } from '../../lib/cli/arguments.ts'
import { JOIN_FLAG_FIELDS, readFlags } from '../../lib/kubeadm/config/flag-fields.ts'
import { loadInitConfig } from '../../lib/kubeadm/config/load-config.ts'
import { staticPods } from '../../lib/kubeadm/manifests/manifests.ts'
import {
  decrypt,
  encrypt,
  newCertificateKey,
  openCertificates,
  uploadCertsObjects,
} from '../../lib/kubeadm/objects/upload-certs-objects.ts'
import { JOIN_PHASE_NAMES, JOIN_PHASE_ROWS } from '../../lib/phases/join/join-phase.ts'
import { JOIN_STEPS, join } from '../../lib/phases/join.ts'
import { etcdFiles } from '../../lib/phases/preflight/version-checks.ts'
import { externalServers, localMember } from '../../lib/phases/reset/local-member.ts'
import { GOLDEN_FACTS } from '../facts.ts'
import { initConfig, PKI } from '../pki.ts'

test('every phase of a join does something, in the order of the table', () => {
  const steps = Object.keys(JOIN_STEPS)
  const rows = JOIN_PHASE_ROWS.flatMap(({ name, subphases = [] }) =>
    subphases.length === 0 ? [name] : subphases.map(sub => `${name}/${sub.name}`),
  )
  assert.deepEqual(steps, rows)
  for (const step of steps) assert.ok(JOIN_PHASE_NAMES.includes(step), step)
})

test('join takes a server, or a phase and a server', () => {
  const of = (...argv: readonly string[]): readonly [string, readonly string[]] => {
    const { subcommand, positionals } = parseArguments(join.command, argv)
    return [subcommand, positionals]
  }
  assert.deepEqual(of('10.0.0.5:6443', '--token', 'x'), ['all', ['10.0.0.5:6443']])
  assert.deepEqual(of(), ['all', []])
  assert.deepEqual(of('phase', 'kubelet-start', '10.0.0.5:6443'), ['phase kubelet-start', ['10.0.0.5:6443']])
  assert.deepEqual(of('phase', 'control-plane-prepare', 'certs'), ['phase control-plane-prepare certs', []])
})

test('flags of a join set the fields of a JoinConfiguration', () => {
  const { documents } = readFlags(
    {
      'control-plane': true,
      'apiserver-bind-port': '7443',
      'certificate-key': 'k',
      'discovery-token': 't',
      'discovery-token-ca-cert-hash': 'a,b',
      'api-server-endpoint': 'h:1',
    },
    JOIN_FLAG_FIELDS,
  )
  assert.deepEqual(documents.JoinConfiguration, {
    controlPlane: { localAPIEndpoint: { bindPort: 7443 }, certificateKey: 'k' },
    discovery: { bootstrapToken: { apiServerEndpoint: 'h:1', token: 't', caCertHashes: ['a', 'b'] } },
  })
})

test('a field that nobody knows of what a cluster has stored is a warning, any other fault is none', () => {
  const text = (line: string): string =>
    `apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nkubernetesVersion: v1.36.2\n${line}\n`
  const load = (line: string, stored?: boolean): readonly string[] =>
    loadInitConfig({ text: text(line), file: 'stored', ...(stored && { stored }) }, GOLDEN_FACTS).notices
  const unknown = 'etcd: { local: { dataDirectory: /x } }'
  assert.throws(() => load(unknown), /dataDirectory/)
  assert.match(
    load(unknown, true).join(),
    /^config: stored:4: ClusterConfiguration etcd\.local\.dataDirectory: the field is unknown/,
  )
  assert.throws(() => load('networking: { podSubnet: nonsense }', true), /podSubnet/)
})

test('decrypt() opens what encrypt() closed, and nothing else', () => {
  const [key, other] = [newCertificateKey(), newCertificateKey()]
  const data = encrypt('text', key, size => new Uint8Array(size))
  assert.equal(decrypt(data, key), 'text')
  assert.equal(decrypt(data, other), undefined)
  assert.equal(decrypt(data.subarray(1), key), undefined)
})

const CERTIFICATE = '-----BEGIN CERTIFICATE-----\n'
const KEY = '-----BEGIN EC PRIVATE KEY-----\n'
const WITHOUT_TLS = { endpoints: ['http://192.0.2.9:2379'], caFile: '', certFile: '', keyFile: '' }
const WITH_TLS = {
  endpoints: ['https://192.0.2.9:2379'],
  caFile: `${PKI}/etcd/ca.crt`,
  certFile: '/etc/etcd/client.pem',
  keyFile: '/etc/etcd/client-key.pem',
}

for (const [what, external, absent, expected] of [
  ['a local etcd', undefined, '', ['etcd/ca.crt 644', 'etcd/ca.key 600']],
  ['a CA whose key is kept elsewhere', undefined, `${PKI}/etcd/ca.key`, ['etcd/ca.crt 644']],
  ['a CA that is not there', undefined, `${PKI}/etcd/ca.crt`, ['etcd/ca.key 600', '"etcd-ca.crt" is not in it']],
  ['an external etcd', WITH_TLS, '', ['etcd/ca.crt 644', '/etc/etcd/client.pem 644', '/etc/etcd/client-key.pem 600']],
  [
    'one file for both',
    { ...WITH_TLS, keyFile: '/etc/etcd/client.pem' },
    '',
    ['etcd/ca.crt 644', '/etc/etcd/client.pem 600'],
  ],
  [
    'an external etcd, of which a file is not there',
    WITH_TLS,
    WITH_TLS.certFile,
    ['etcd/ca.crt 644', '/etc/etcd/client-key.pem 600', '"external-etcd.crt" is not in it'],
  ],
  ['an external etcd without TLS', WITHOUT_TLS, '', []],
] as const) {
  test(`what is uploaded is what a control plane node gets: ${what}`, () => {
    const config = initConfig('v1.36.2', external === undefined ? {} : { etcd: { external } })
    const isKey = (path: string): boolean => path.endsWith('.key') || path === external?.keyFile
    const read = (path: string): string | undefined =>
      path === absent || path === '' ? undefined : isKey(path) ? KEY : CERTIFICATE
    const key = newCertificateKey()
    const objects = uploadCertsObjects(config, { key, token: 'abcdef.0123456789abcdef' }, read, new Date())
    const { data } = objects.find(({ metadata }) => objectOf(metadata).name === 'kubeadm-certs') ?? {}
    const { files, faults } = openCertificates(objectOf(data), config, key)
    const common = [
      'ca.crt 644',
      'ca.key 600',
      'front-proxy-ca.crt 644',
      'front-proxy-ca.key 600',
      'sa.key 600',
      'sa.pub 644',
    ]
    assert.deepEqual(
      [...files.map(({ path, mode }) => `${path.replace(`${PKI}/`, '')} ${mode.toString(8)}`), ...faults],
      [...common, ...expected],
    )
    assert.equal(openCertificates(objectOf(data), config, newCertificateKey()).files.length, 0)
  })
}

test('files of an external etcd have to be there before a join only where nobody gives them', () => {
  const of = (more: Partial<InitConfig>): number =>
    etcdFiles({ config: { ...initConfig('v1.36.2', { etcd: { external: WITH_TLS } }), ...more } }).length
  const { init } = initConfig()
  assert.equal(of({}), 3)
  assert.equal(of({ joins: 'control-plane' }), 3)
  assert.equal(of({ joins: 'control-plane', init: { ...init, certificateKey: 'k' } }), 0)
  assert.equal(of({ joins: 'worker' }), 0)
})

test("externalServers() names an etcd that is not the node's own", () => {
  const of = (etcd: InitConfig['cluster']['etcd']): string | undefined => {
    const [pod] = staticPods(initConfig('v1.36.2', { etcd }), GOLDEN_FACTS, ['kube-apiserver'])
    return externalServers(stringify(pod?.pod ?? null))
  }
  assert.equal(of({ local: { dataDir: '/var/lib/etcd' } }), undefined)
  assert.equal(of({ external: WITH_TLS }), 'https://192.0.2.9:2379')
  assert.equal(externalServers('kind: Pod'), undefined)
})

for (const release of ['v1.20.2', 'v1.36.2']) {
  test(`localMember() knows the etcd that ${release} writes, and those that it joined`, () => {
    const config = initConfig(release)
    const etcdMembers = [
      { name: 'n0', peerUrl: 'https://10.0.0.4:2380' },
      { name: 'n1', peerUrl: 'https://10.0.0.5:2380' },
    ]
    const [pod] = staticPods(config, GOLDEN_FACTS, ['etcd'], { etcdMembers })
    assert.deepEqual(localMember(stringify(pod?.pod ?? null)), {
      peerUrl: 'https://10.0.0.5:2380',
      endpoints: ['https://127.0.0.1:2379', 'https://10.0.0.5:2379', 'https://10.0.0.4:2379'],
      files: {
        ca: '/etc/kubernetes/pki/etcd/ca.crt',
        certificate: '/etc/kubernetes/pki/etcd/healthcheck-client.crt',
        key: '/etc/kubernetes/pki/etcd/healthcheck-client.key',
      },
    })
    assert.equal(localMember('kind: Pod'), undefined)
  })
}
