/** Certificates against those that real kubeadm binaries made: from the same keys, serials and dates, the same bytes. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import type { EncryptionAlgorithm, InitConfig } from '../../lib/base/kubeadm.ts'
import { isSince } from '../../lib/base/version.ts'
import { parse } from '../../lib/base/yaml.ts'
import { type Certificate, formatCertificate, parseCertificates } from '../../lib/kubeadm/credentials/certificate.ts'
import { AUTHORITIES, CERTIFICATES, isLeaf, LEAVES } from '../../lib/kubeadm/credentials/certificates.ts'
import { issuerOf, type Signer } from '../../lib/kubeadm/credentials/credential-plan.ts'
import { readElement, readElements } from '../../lib/kubeadm/credentials/der.ts'
import {
  formatPrivateKey,
  formatPublicKey,
  type PrivateKey,
  parsePrivateKey,
} from '../../lib/kubeadm/credentials/keys.ts'
import { kubeconfigText } from '../../lib/kubeadm/credentials/kubeconfig-file.ts'
import {
  KUBECONFIGS,
  kubeconfigServer,
  kubeconfigSubject,
  kubeconfigsOf,
} from '../../lib/kubeadm/credentials/kubeconfigs.ts'
import { parsePem } from '../../lib/kubeadm/credentials/pem.ts'
import {
  authorityTemplate,
  clientTemplate,
  leafIdentity,
  leafTemplate,
} from '../../lib/kubeadm/credentials/template.ts'
import { authorityValidity, clientValidity, leafValidity } from '../../lib/kubeadm/credentials/validity.ts'
import { addressBytes, certificate, certificateRequest, name } from '../../lib/kubeadm/credentials/x509.ts'
import { initConfig, issue } from '../pki.ts'

interface Real {
  readonly release: string
  readonly encryptionAlgorithm: EncryptionAlgorithm
  readonly messages: readonly string[]
  readonly files: Readonly<Record<string, string>>
  readonly requests?: Readonly<Record<string, string>>
}

/** The configuration that all of test/data/pki was made of. */
function realConfig({ release, encryptionAlgorithm }: Real): InitConfig {
  const newest = release === 'v1.36.2'
  return initConfig(release, {
    encryptionAlgorithm,
    clusterName: 'test',
    controlPlaneEndpoint: 'api.example.com:6443',
    ...(newest && { certificateValidityPeriod: '2000h30m0s', caCertificateValidityPeriod: '300000h0m0s' }),
    networking: {
      serviceSubnet: newest ? 'fd00:10:96::/112,10.96.0.0/16' : '10.96.0.0/16',
      dnsDomain: 'cluster.local',
    },
    apiServer: {
      certSANs: ['Z.example.com', '*.wild.example.com', '192.168.0.9', 'fd00::9', 'n1', '10.0.0.5'],
    },
    etcd: {
      local: {
        dataDir: '/var/lib/etcd',
        serverCertSANs: ['etcd.example.com', '10.9.9.9'],
        peerCertSANs: ['peer.example.com', '::1'],
      },
    },
  })
}

const folder = new URL('../data/pki/', import.meta.url)
const cases = readdirSync(folder)
  .filter(file => file.endsWith('.json'))
  .sort()
  .map(file => [file, JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Real] as const)

function text(real: Real, path: string): string {
  const found = real.files[path]
  if (found === undefined) throw new Error(`no ${path}`)
  return found
}

function pair(real: Real, baseName: string): { one: Certificate; key: PrivateKey } {
  const [one] = parseCertificates(text(real, `pki/${baseName}.crt`))
  return { one, key: parsePrivateKey(text(real, `pki/${baseName}.key`)) }
}

function signerOf(real: Real, authority: string): Signer {
  const spec = AUTHORITIES.find(({ name: known }) => known === authority)
  const { one, key } = pair(real, spec?.baseName ?? '')
  return { certificate: one, key }
}

/** All of a certificate when its signature can be repeated (RSA), else all but the signature. */
function comparable(bytes: Uint8Array, signer: PrivateKey): string {
  if (signer.key.asymmetricKeyType === 'rsa') return Buffer.from(bytes).toString('base64')
  const [content, algorithm] = readElements(readElement(bytes).content)
  return Buffer.concat([content?.bytes ?? Buffer.of(), algorithm?.bytes ?? Buffer.of()]).toString('base64')
}

const given = ({
  serial,
  notBefore,
  notAfter,
}: Certificate): Pick<Certificate, 'serial' | 'notBefore' | 'notAfter'> => ({
  serial,
  notBefore,
  notAfter,
})

describe('certificates of real kubeadm', () => {
  for (const [file, real] of cases) {
    const config = realConfig(real)
    const now = new Date()

    it(`certificate() gives the same bytes as ${file}`, () => {
      for (const spec of CERTIFICATES) {
        const { one, key } = pair(real, spec.baseName)
        const signer = isLeaf(spec) ? signerOf(real, spec.authority) : { certificate: one, key }
        const template = isLeaf(spec)
          ? leafTemplate(spec, config, now, signer.certificate)
          : authorityTemplate(spec, config, now)
        const made = certificate({ ...template, ...given(one) }, key, isLeaf(spec) ? issuerOf(signer) : undefined)
        assert.equal(comparable(made, signer.key), comparable(one.bytes, signer.key), spec.name)
        assert.equal(formatCertificate(one.bytes), text(real, `pki/${spec.baseName}.crt`), spec.name)
      }
    })

    it(`formatPrivateKey() gives the same bytes as ${file}`, () => {
      const files = Object.keys(real.files).filter(path => path.endsWith('.key'))
      assert.equal(files.length, 11)
      // The contents are keys: a failure must not print them.
      for (const path of files)
        assert.ok(formatPrivateKey(parsePrivateKey(text(real, path))) === text(real, path), path)
      const sa = parsePrivateKey(text(real, 'pki/sa.key'))
      assert.equal(formatPublicKey(sa.publicKey), text(real, 'pki/sa.pub'))
    })

    it(`kubeconfigText() gives the same bytes as ${file}`, () => {
      const signer = signerOf(real, 'ca')
      const specs = kubeconfigsOf(config.kubeadm)
      assert.deepEqual(
        specs.map(spec => spec.file).sort(),
        Object.keys(real.files).filter(path => path.endsWith('.conf')),
      )
      for (const spec of specs) {
        const was = text(real, spec.file)
        const user = (parse(was) as { users: { user: Record<string, string> }[] }).users[0]?.user ?? {}
        const decode = (field: string): string => Buffer.from(user[field] ?? '', 'base64').toString()
        const [one] = parseCertificates(decode('client-certificate-data'))
        const key = parsePrivateKey(decode('client-key-data'))
        const subject = kubeconfigSubject(spec, config)
        const template = clientTemplate(subject, config, now, signer.certificate)
        const made = certificate({ ...template, ...given(one) }, key, issuerOf(signer))
        assert.equal(comparable(made, signer.key), comparable(one.bytes, signer.key), spec.name)
        assert.equal(one.notBefore.getTime(), clientValidity(config, now, signer.certificate).notBefore.getTime())
        const content = {
          server: kubeconfigServer(spec, config),
          cluster: config.cluster.clusterName,
          user: subject.commonName,
          authority: formatCertificate(signer.certificate.bytes),
          certificate: formatCertificate(one.bytes),
          key: formatPrivateKey(key),
        }
        assert.ok(kubeconfigText(content, config.kubeadm) === was, spec.name)
      }
    })

    it(`dates are those of ${file}`, () => {
      for (const { baseName } of AUTHORITIES) {
        const { one } = pair(real, baseName)
        const period = Number.parseInt(config.cluster.caCertificateValidityPeriod, 10) * 3_600_000
        const start = new Date(one.notAfter.getTime() - period)
        assert.deepEqual(
          authorityValidity(config, start),
          { notBefore: one.notBefore, notAfter: one.notAfter },
          baseName,
        )
      }
      for (const spec of LEAVES) {
        const { one } = pair(real, spec.baseName)
        const authority = signerOf(real, spec.authority).certificate
        const period = isSince(config.kubeadm, '1.36') ? 2000.5 : 8760
        const start = new Date(one.notAfter.getTime() - period * 3_600_000)
        assert.deepEqual(
          leafValidity(config, start, authority),
          { notBefore: one.notBefore, notAfter: one.notAfter },
          spec.name,
        )
      }
    })

    const { requests } = real
    if (requests !== undefined) {
      it(`certificateRequest() gives the same bytes as ${file}`, () => {
        const same = (path: string, made: Uint8Array, key: PrivateKey): void => {
          const [block] = parsePem(requests[path] ?? '')
          assert.equal(block?.label, 'CERTIFICATE REQUEST')
          assert.equal(comparable(made, key), comparable(block?.bytes ?? Buffer.of(), key), path)
        }
        for (const spec of LEAVES) {
          const key = parsePrivateKey(requests[`pki/${spec.baseName}.key`] ?? '')
          const { subject, names } = leafIdentity(spec, config)
          same(`pki/${spec.baseName}.csr`, certificateRequest(subject, names, key), key)
        }
        for (const spec of KUBECONFIGS) {
          const config1 = parse(requests[spec.file] ?? '') as { users: { user: Record<string, string> }[] }
          const key = parsePrivateKey(Buffer.from(config1.users[0]?.user['client-key-data'] ?? '', 'base64').toString())
          const made = certificateRequest(kubeconfigSubject(spec, config), { dnsNames: [], ipAddresses: [] }, key)
          same(`${spec.file}.csr`, made, key)
        }
      })
    }

    it(`issueCredentials() takes over ${file}`, async () => {
      const host = Object.fromEntries(
        Object.entries(real.files).map(([path, content]) => [`/etc/kubernetes/${path}`, content]),
      )
      const start = signerOf(real, 'ca').certificate.notBefore.getTime() + 600_000
      const { files, warnings } = await issue(config, host, { now: new Date(start) })
      assert.deepEqual(
        files.map(({ path }) => path),
        [],
      )
      assert.deepEqual(warnings, [])
    })
    it(`issueCredentials() says what kubeadm said: ${file}`, async () => {
      const fast = { ...config, cluster: { ...config.cluster, encryptionAlgorithm: 'ECDSA-P256' as const } }
      assert.deepEqual((await issue(fast)).messages, real.messages)
    })
  }
})

describe('x509', () => {
  it('certificate() of a subject named like its CA has no authority key identifier, as in Go', () => {
    const real = cases.find(([file]) => file === 'v1.36.2-ecdsa-p256.json')?.[1]
    if (real === undefined) throw new Error('no data')
    const config = realConfig(real)
    const signer = signerOf(real, 'etcd-ca')
    const spec = LEAVES.find(({ name: known }) => known === 'etcd-server')
    if (spec === undefined) throw new Error('no etcd-server')
    const { key } = pair(real, spec.baseName)
    const template = leafTemplate(spec, config, new Date(), signer.certificate)
    const subject = { commonName: 'etcd-ca', organizations: [] }
    const authorityKeyIdentifier = Buffer.from('0603551d23', 'hex')
    const has = (bytes: Uint8Array): boolean => Buffer.from(bytes).includes(authorityKeyIdentifier)
    assert.ok(has(certificate(template, key, issuerOf(signer))))
    assert.ok(!has(certificate({ ...template, subject }, key, issuerOf(signer))))
  })

  it('name() puts several organizations into one set, sorted', () => {
    const made = name({ commonName: 'x', organizations: ['b', 'a'] })
    const organizations = '3008060355040a1301613008060355040a130162'
    assert.equal(Buffer.from(made).toString('hex'), `30223114${organizations}310a30080603550403130178`)
  })

  it('addressBytes() writes both families, and IPv4 inside IPv6 as IPv4', () => {
    assert.equal(Buffer.from(addressBytes('10.0.0.5')).toString('hex'), '0a000005')
    assert.equal(Buffer.from(addressBytes('::1')).toString('hex'), '00000000000000000000000000000001')
    assert.equal(Buffer.from(addressBytes('::ffff:1.2.3.4')).toString('hex'), '01020304')
    assert.throws(() => addressBytes('n1'), RangeError)
  })
})
