/** What openssl says about our certificates, keys and signing requests. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import type { EncryptionAlgorithm } from '../../lib/base/kubeadm.ts'
import { parse } from '../../lib/base/yaml.ts'
import { CERTIFICATES, isLeaf } from '../../lib/kubeadm/credentials/certificates.ts'
import { issueSigningRequests } from '../../lib/kubeadm/credentials/requests.ts'
import { writeFiles } from '../../lib/machine/files.ts'
import { initConfig, issue } from '../pki.ts'

const missing = spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is not installed'
const work = mkdtempSync(join(tmpdir(), 'kubestep openssl '))
after(() => rmSync(work, { recursive: true, force: true }))

interface Said {
  readonly ok: boolean
  readonly text: string
}

function openssl(...args: readonly string[]): Said {
  const { status, stdout, stderr } = spawnSync('openssl', [...args], { encoding: 'utf8' })
  return { ok: status === 0, text: `${stdout}${stderr}` }
}

const SUITES: readonly (readonly [release: string, algorithm: EncryptionAlgorithm, key: RegExp, signature: string])[] =
  [
    ['v1.36.2', 'RSA-2048', /2048 bit/, 'sha256WithRSAEncryption'],
    ['v1.36.2', 'RSA-3072', /3072 bit/, 'sha256WithRSAEncryption'],
    ['v1.36.2', 'RSA-4096', /4096 bit/, 'sha256WithRSAEncryption'],
    ['v1.36.2', 'ECDSA-P256', /P-256/, 'ecdsa-with-SHA256'],
    ['v1.36.2', 'ECDSA-P384', /P-384/, 'ecdsa-with-SHA384'],
    ['v1.30.0', 'ECDSA-P256', /P-256/, 'ecdsa-with-SHA256'],
    ['v1.18.3', 'ECDSA-P256', /P-256/, 'ecdsa-with-SHA256'],
  ]

const authorities = new Map(
  CERTIFICATES.filter(spec => !isLeaf(spec)).map(({ name, baseName }) => [name as string, baseName]),
)

for (const [release, algorithm, keyText, signature] of SUITES) {
  describe(`openssl with ${algorithm} as of ${release}`, { skip: missing }, () => {
    const folder = join(work, `${release} ${algorithm}`)
    const file = (name: string): string => join(folder, 'etc/kubernetes/pki', name)
    const config = initConfig(release, {
      encryptionAlgorithm: algorithm,
      apiServer: { certSANs: ['*.example.com', 'fd00::9'] },
    })
    const ready = issue(config, {}, { kubeconfigs: ['admin'], now: new Date() }).then(({ files }) =>
      writeFiles(folder, files),
    )

    it('verifies every certificate strictly, for its purposes', async () => {
      await ready
      for (const spec of CERTIFICATES) {
        const ca = file(`${isLeaf(spec) ? authorities.get(spec.authority) : spec.baseName}.crt`)
        const purposes = isLeaf(spec)
          ? spec.usages.map(usage => (usage === 'serverAuth' ? 'sslserver' : 'sslclient'))
          : ['any']
        for (const purpose of purposes) {
          const said = openssl(
            'verify',
            '-x509_strict',
            '-check_ss_sig',
            '-purpose',
            purpose,
            '-CAfile',
            ca,
            file(`${spec.baseName}.crt`),
          )
          assert.ok(said.ok && said.text.endsWith(': OK\n'), `${spec.name}: ${said.text}`)
        }
      }
    })

    it('refuses a client as a server, and a leaf of another CA', async () => {
      await ready
      const verify = (purpose: string, ca: string, leaf: string): Said =>
        openssl('verify', '-x509_strict', '-purpose', purpose, '-CAfile', file(`${ca}.crt`), file(`${leaf}.crt`))
      assert.equal(verify('sslserver', 'front-proxy-ca', 'front-proxy-client').ok, false)
      assert.equal(verify('sslclient', 'ca', 'apiserver').ok, false)
      assert.equal(verify('sslclient', 'etcd/ca', 'front-proxy-client').ok, false)
    })

    it('checks every key, and finds that it belongs to its certificate', async () => {
      await ready
      for (const baseName of [...CERTIFICATES.map(spec => spec.baseName), 'sa']) {
        const said = openssl('pkey', '-check', '-noout', '-in', file(`${baseName}.key`))
        assert.ok(said.ok && said.text.includes('Key is valid'), `${baseName}: ${said.text}`)
        const ours = openssl('pkey', '-pubout', '-in', file(`${baseName}.key`)).text
        const theirs =
          baseName === 'sa'
            ? openssl('pkey', '-pubin', '-pubout', '-in', file('sa.pub'))
            : openssl('x509', '-noout', '-pubkey', '-in', file(`${baseName}.crt`))
        assert.equal(theirs.text, ours, baseName)
        assert.equal(statSync(file(`${baseName}.key`)).mode & 0o777, 0o600)
      }
      assert.match(openssl('pkey', '-text', '-noout', '-in', file('ca.key')).text, keyText)
    })

    it('reads names, usages and dates as they are meant', async () => {
      await ready
      const said = openssl('x509', '-noout', '-text', '-in', file('apiserver.crt')).text
      for (const part of [
        'Version: 3 (0x2)',
        `Signature Algorithm: ${signature}`,
        'Subject: CN = kube-apiserver',
        'X509v3 Key Usage: critical\n                Digital Signature, Key Encipherment\n',
        'X509v3 Extended Key Usage: \n                TLS Web Server Authentication\n',
        'DNS:kubernetes.default.svc.cluster.local',
        'DNS:*.example.com',
        'IP Address:10.96.0.1, IP Address:10.0.0.5, IP Address:FD00:0:0:0:0:0:0:9',
      ]) {
        assert.ok(said.includes(part), `${part} is not in ${said}`)
      }
      assert.equal(said.includes('CA:FALSE'), release !== 'v1.18.3')
      for (const [host, ok] of [
        ['kubernetes', true],
        ['a.example.com', true],
        ['a.b.example.com', false],
        ['example.com', false],
      ] as const) {
        const check = openssl('x509', '-noout', '-checkhost', host, '-in', file('apiserver.crt')).text
        assert.equal(check.includes('does match'), ok, check)
      }
      const authority = openssl('x509', '-noout', '-text', '-in', file('ca.crt')).text
      assert.ok(authority.includes('Digital Signature, Key Encipherment, Certificate Sign'))
      assert.ok(authority.includes('CA:TRUE'))
      // A day more and less than a year and ten years.
      const lives = (name: string, days: number): boolean =>
        openssl('x509', '-noout', '-checkend', String(days * 86400), '-in', file(name)).ok
      assert.deepEqual([lives('apiserver.crt', 364), lives('apiserver.crt', 366)], [true, false])
      assert.deepEqual([lives('ca.crt', 3649), lives('ca.crt', 3651)], [true, false])
    })

    it('verifies the client certificate of a kubeconfig', async () => {
      await ready
      const admin = parse(readFileSync(join(folder, 'etc/kubernetes/admin.conf'), 'utf8')) as unknown as {
        users: { user: Record<string, string> }[]
        clusters: { cluster: Record<string, string> }[]
      }
      const decode = (data?: string): string => Buffer.from(data ?? '', 'base64').toString()
      writeFiles(folder, [
        { path: '/client.crt', mode: 0o644, content: decode(admin.users[0]?.user['client-certificate-data']) },
        {
          path: '/client-ca.crt',
          mode: 0o644,
          content: decode(admin.clusters[0]?.cluster['certificate-authority-data']),
        },
      ])
      const said = openssl(
        'verify',
        '-x509_strict',
        '-purpose',
        'sslclient',
        '-CAfile',
        join(folder, 'client-ca.crt'),
        join(folder, 'client.crt'),
      )
      assert.ok(said.ok, said.text)
    })

    it('verifies every signing request', async () => {
      await ready
      const { files } = await issueSigningRequests({
        config,
        read: () => undefined,
        leaves: ['apiserver', 'front-proxy-client'],
        kubeconfigs: ['admin'],
        directories: { requests: '/csr', kubeconfigs: '/csr' },
        existing: 'refuse',
      })
      writeFiles(folder, files)
      const requests = files.filter(({ path }) => path.endsWith('.csr'))
      assert.equal(requests.length, 3)
      for (const { path } of requests) {
        const said = openssl('req', '-verify', '-noout', '-in', join(folder, path))
        assert.ok(said.ok, `${path}: ${said.text}`)
      }
      const said = openssl('req', '-text', '-noout', '-in', join(folder, '/csr/apiserver.csr')).text
      assert.ok(said.includes('DNS:kubernetes.default.svc') && said.includes('IP Address:10.96.0.1'), said)
    })
  })
}

describe('openssl makes what we keep', { skip: missing }, () => {
  it('parsePrivateKey() and the reuse rules take its keys and certificates', async () => {
    const folder = join(work, 'theirs')
    writeFiles(folder, [
      {
        path: '/ext',
        mode: 0o644,
        content:
          'subjectAltName=DNS:n1,DNS:localhost,IP:10.0.0.5,IP:127.0.0.1,IP:::1\nextendedKeyUsage=serverAuth,clientAuth\n',
      },
    ])
    const path = (name: string): string => join(folder, name)
    const run = (...args: readonly string[]): void => {
      const said = openssl(...args)
      assert.ok(said.ok, said.text)
    }
    run(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      path('ca.key'),
      '-out',
      path('ca.crt'),
      '-subj',
      '/O=Example/CN=my etcd',
      '-days',
      '30',
    )
    run('ecparam', '-name', 'secp384r1', '-genkey', '-out', path('server.key'))
    run('req', '-new', '-key', path('server.key'), '-subj', '/CN=n1', '-out', path('server.csr'))
    run(
      'x509',
      '-req',
      '-in',
      path('server.csr'),
      '-CA',
      path('ca.crt'),
      '-CAkey',
      path('ca.key'),
      '-CAcreateserial',
      '-extfile',
      path('ext'),
      '-out',
      path('server.crt'),
      '-days',
      '20',
    )
    chmodSync(path('ca.key'), 0o600)
    const host: Record<string, string> = {}
    for (const name of ['ca.crt', 'ca.key', 'server.crt', 'server.key']) {
      host[`/etc/kubernetes/pki/etcd/${name}`] = readFileSync(path(name), 'utf8')
    }
    const { files, messages } = await issue(initConfig(), host, {
      certificates: ['etcd-ca', 'etcd-server', 'etcd-peer'],
      kubeconfigs: [],
      now: new Date(),
    })
    assert.deepEqual(messages.slice(1, 3), [
      '[certs] Using existing etcd/ca certificate authority',
      '[certs] Using existing etcd/server certificate and key on disk',
    ])
    writeFiles(folder, files)
    const said = openssl('verify', '-CAfile', path('ca.crt'), join(folder, '/etc/kubernetes/pki/etcd/peer.crt'))
    assert.ok(said.ok, said.text)
  })
})
