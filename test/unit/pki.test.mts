/** What a run makes, keeps and refuses. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { InitConfig } from '../../lib/base/kubeadm.ts'
import { formatCertificate, parseCertificates } from '../../lib/kubeadm/credentials/certificate.ts'
import type { CertificateName, SERVICE_ACCOUNT } from '../../lib/kubeadm/credentials/certificates.ts'
import { AUTHORITIES, LEAVES } from '../../lib/kubeadm/credentials/certificates.ts'
import { type IssueRequest, isExternalAuthority } from '../../lib/kubeadm/credentials/issue.ts'
import { formatPrivateKey, generateKeys, type PrivateKey, parsePrivateKey } from '../../lib/kubeadm/credentials/keys.ts'
import { issueSigningRequests } from '../../lib/kubeadm/credentials/requests.ts'
import { authorityTemplate, leafIdentity, leafTemplate } from '../../lib/kubeadm/credentials/template.ts'
import { certificate } from '../../lib/kubeadm/credentials/x509.ts'
import { type Host, hostWith, initConfig, issue, NOW, PKI, without } from '../pki.ts'

const config = initConfig()
const fresh = await issue(config)
const complete = hostWith(fresh.files)
const other = hostWith((await issue(config)).files)
const [loose, another] = (await generateKeys('ECDSA-P256', 2)) as [PrivateKey, PrivateKey]

/** The messages of a refused run, one per line. */
async function faultsOf(
  host: Host,
  given: InitConfig = config,
  request: Partial<IssueRequest> = {},
): Promise<string[]> {
  try {
    await issue(given, host, request)
  } catch (error) {
    return (error as Error).message.split('\n')
  }
  return []
}

const swap = (path: string, from: Host = other): Host => ({
  ...complete,
  [`${PKI}/${path}`]: from[`${PKI}/${path}`] ?? '',
})
const put = (path: string, content: string): Host => ({ ...complete, [`${PKI}/${path}`]: content })
const textOf = (path: string): string => complete[`${PKI}/${path}`] ?? ''
const only = (...certificates: readonly (CertificateName | typeof SERVICE_ACCOUNT)[]): Partial<IssueRequest> => ({
  certificates,
  kubeconfigs: [],
})

describe('issueCredentials()', () => {
  it('gives files in kubeadm order with exact modes', () => {
    assert.deepEqual(
      fresh.files.map(({ path, mode }) => `${mode.toString(8)} ${path}`),
      [
        ...[
          'ca',
          'apiserver',
          'apiserver-kubelet-client',
          'front-proxy-ca',
          'front-proxy-client',
          'etcd/ca',
          'etcd/server',
          'etcd/peer',
          'etcd/healthcheck-client',
          'apiserver-etcd-client',
        ].flatMap(name => [`600 ${PKI}/${name}.key`, `644 ${PKI}/${name}.crt`]),
        `600 ${PKI}/sa.key`,
        `600 ${PKI}/sa.pub`,
        ...['admin', 'super-admin', 'kubelet', 'controller-manager', 'scheduler'].map(
          name => `600 /etc/kubernetes/${name}.conf`,
        ),
      ],
    )
  })

  it('uses no key twice, and no serial number', () => {
    const serials = fresh.files
      .filter(({ path }) => path.endsWith('.crt'))
      .map(({ content }) => Buffer.from(parseCertificates(String(content))[0].serial).toString('hex'))
    assert.equal(new Set(serials).size, 10)
    const keys = fresh.files.filter(({ path }) => path.endsWith('.key')).map(({ content }) => content)
    assert.equal(new Set(keys).size, 11)
  })

  it('makes what is asked for and nothing else', async () => {
    const { files } = await issue(config, {}, only('ca', 'apiserver'))
    assert.deepEqual(
      files.map(({ path }) => path),
      ['ca.key', 'ca.crt', 'apiserver.key', 'apiserver.crt'].map(name => `${PKI}/${name}`),
    )
  })

  it('signs with the CA that is there', async () => {
    const { files, messages } = await issue(
      config,
      without(complete, 'apiserver.crt', 'apiserver.key'),
      only('apiserver'),
    )
    assert.equal(files.length, 2)
    assert.equal(messages[0], '[certs] Generating "apiserver" certificate and key')
    assert.deepEqual(await faultsOf({ ...complete, ...hostWith(files) }), [])
  })

  it('changes nothing when it runs again', async () => {
    const again = await issue(config, complete)
    assert.deepEqual(again.files, [])
    assert.deepEqual(again.warnings, [])
    assert.equal(again.messages.length, 18)
    assert.ok(
      again.messages.every(message => /xisting|Using \w+ folder/.test(message)),
      again.messages.join('\n'),
    )
  })

  it('completes what is missing and leaves the rest alone', async () => {
    const { files } = await issue(
      config,
      without(complete, 'etcd/peer.crt', 'etcd/peer.key', 'scheduler.conf', 'sa.pub'),
    )
    assert.deepEqual(
      files.map(({ path }) => path),
      [`${PKI}/etcd/peer.key`, `${PKI}/etcd/peer.crt`, `${PKI}/sa.pub`, '/etc/kubernetes/scheduler.conf'],
    )
    assert.equal(files[2]?.content, textOf('sa.pub'))
  })

  it('gives the CAs that are kept, for a dry run to take along', async () => {
    const { kept } = await issue(config, complete)
    assert.deepEqual(
      kept.map(({ path, mode }) => `${mode.toString(8)} ${path}`),
      ['ca', 'front-proxy-ca', 'etcd/ca'].flatMap(name => [`644 ${PKI}/${name}.crt`, `600 ${PKI}/${name}.key`]),
    )
    assert.deepEqual((await issue(config, complete, only('apiserver'))).kept, [])
  })

  it('takes another certificates folder', async () => {
    const elsewhere = initConfig('v1.36.2', { certificatesDir: '/srv/my pki/' })
    const { files } = await issue(elsewhere, {}, only('ca'))
    assert.deepEqual(
      files.map(({ path }) => path),
      ['/srv/my pki/ca.key', '/srv/my pki/ca.crt'],
    )
  })

  it('makes nothing for etcd when it is external', async () => {
    const external = initConfig('v1.36.2', {
      etcd: { external: { endpoints: [], caFile: '', certFile: '', keyFile: '' } },
    })
    const { files, messages } = await issue(external, put('etcd/ca.crt', 'damaged, and nobody asks'))
    assert.ok(!files.some(({ path }) => path.includes('etcd')))
    assert.equal(messages.filter(message => message.startsWith('[certs] External etcd mode: Skipping ')).length, 5)
  })
})

describe('issueCredentials() refuses', () => {
  const leafOf = (validity: Partial<{ notBefore: Date; notAfter: Date }>): string => {
    const [authority] = parseCertificates(textOf('ca.crt'))
    const spec = LEAVES.find(({ name }) => name === 'apiserver')
    if (spec === undefined) throw new Error('no apiserver')
    const template = { ...leafTemplate(spec, config, NOW, authority), ...validity }
    const issuer = {
      key: parsePrivateKey(textOf('ca.key')),
      subject: authority.subjectBytes,
      ...(authority.keyIdentifier && { keyIdentifier: authority.keyIdentifier }),
    }
    return formatCertificate(certificate(template, parsePrivateKey(textOf('apiserver.key')), issuer))
  }
  const fix = `delete it and its key, and run 'certs apiserver' again`
  const reuse = `certs: cannot reuse "${PKI}/apiserver.crt":`
  const mendCa = `put the right files there, or delete certificate and key with all that they signed and run 'certs ca' again`
  const rows: readonly (readonly [what: string, host: Host, faults: readonly (string | RegExp)[]])[] = [
    ['a leaf that is empty', put('apiserver.crt', ''), [`${reuse} it is empty; ${fix}`]],
    [
      'a leaf that is cut off',
      put('apiserver.crt', textOf('apiserver.crt').slice(0, 300)),
      [`${reuse} its PEM block is cut off or has headers; ${fix}`],
    ],
    ['a leaf that is a key', put('apiserver.crt', textOf('sa.key')), [`${reuse} it holds no certificate; ${fix}`]],
    [
      'a leaf of another CA',
      swap('apiserver.crt'),
      [`${reuse} it is not signed by its CA and its key "${PKI}/apiserver.key" belongs to another certificate; ${fix}`],
    ],
    [
      'a leaf that belongs elsewhere',
      put('apiserver.crt', textOf('front-proxy-client.crt')),
      [
        /it is not signed by its CA, its key .* belongs to another certificate, it names "front-proxy-client" where "kube-apiserver" is expected, it is not valid for kubernetes, .* and it lacks the usage serverAuth; /,
      ],
    ],
    [
      'a leaf without key',
      without(complete, '/apiserver.key'),
      [`${reuse} its key "${PKI}/apiserver.key" is missing; ${fix}`],
    ],
    [
      'a leaf with a damaged key',
      put('apiserver.key', 'x'),
      [`${reuse} its key "${PKI}/apiserver.key" cannot be used: it holds no PEM block; ${fix}`],
    ],
    [
      'a key without leaf',
      without(complete, '/apiserver.crt'),
      [
        /^certs: cannot make "\/etc\/kubernetes\/pki\/apiserver.crt": a key without certificate is there already, .*; put the certificate beside it, or delete the key and run 'certs apiserver' again$/,
      ],
    ],
    [
      'a leaf that expired',
      put('apiserver.crt', leafOf({ notAfter: new Date('2026-11-23T14:19:59Z') })),
      [`${reuse} it expired on 2026-11-23T14:19:59Z; ${fix}`],
    ],
    [
      'a leaf of the future',
      put('apiserver.crt', leafOf({ notBefore: new Date('2026-11-24T00:00:00Z') })),
      [`${reuse} it is not valid before 2026-11-24T00:00:00Z; ${fix}`],
    ],
    [
      'a CA with the key of another',
      swap('ca.key'),
      [`certs: cannot use the CA "${PKI}/ca.crt": its key "${PKI}/ca.key" belongs to another certificate; ${mendCa}`],
    ],
    [
      'a CA that is none',
      {
        ...without(complete, 'ca.key'),
        [`${PKI}/ca.key`]: textOf('apiserver.key'),
        [`${PKI}/ca.crt`]: textOf('apiserver.crt'),
      },
      [`certs: cannot use the CA "${PKI}/ca.crt": it is not a CA certificate; ${mendCa}`],
    ],
    [
      'a damaged CA, and says the rest, too',
      { ...put('ca.crt', 'x'), [`${PKI}/front-proxy-client.key`]: 'x' },
      [
        `certs: cannot use the CA "${PKI}/ca.crt": it holds no PEM block; ${mendCa}`,
        `certs: cannot reuse "${PKI}/front-proxy-client.crt": its key "${PKI}/front-proxy-client.key" cannot be used: it holds no PEM block; delete it and its key, and run 'certs front-proxy-client' again`,
      ],
    ],
    [
      'a CA key without certificate',
      without(complete, 'pki/ca.crt'),
      [
        `certs: cannot use the CA key "${PKI}/ca.key": its certificate "${PKI}/ca.crt" is missing; put it there, or delete the key and run 'certs ca' again`,
      ],
    ],
    [
      'sa.pub of another key',
      swap('sa.pub'),
      [`certs: cannot use "${PKI}/sa.pub": it does not belong to "${PKI}/sa.key"; delete it and run 'certs sa' again`],
    ],
    [
      'a damaged sa.pub',
      put('sa.pub', 'x'),
      [`certs: cannot use "${PKI}/sa.pub": it holds no PEM block; delete it and run 'certs sa' again`],
    ],
    [
      'a damaged sa.key',
      put('sa.key', 'x'),
      [
        `certs: cannot use "${PKI}/sa.key": it holds no PEM block; put the right key there, or delete it and "${PKI}/sa.pub" and run 'certs sa' again`,
      ],
    ],
    [
      'sa.pub without sa.key',
      without(complete, 'sa.key'),
      [
        `certs: cannot make "${PKI}/sa.key": its public key "${PKI}/sa.pub" is there already; put the key beside it, or delete it and run 'certs sa' again`,
      ],
    ],
  ]
  for (const [what, host, expected] of rows) {
    it(what, async () => {
      const faults = await faultsOf(host)
      const certs = faults.filter(fault => fault.startsWith('certs: '))
      assert.equal(certs.length, expected.length, faults.join('\n'))
      for (const [index, fault] of expected.entries()) {
        if (typeof fault === 'string') assert.equal(certs[index], fault)
        else assert.match(certs[index] ?? '', fault)
      }
    })
  }

  it('every fault at once', async () => {
    const host = {
      ...complete,
      [`${PKI}/apiserver.crt`]: '',
      [`${PKI}/etcd/peer.key`]: '',
      [`${PKI}/sa.pub`]: '',
      '/etc/kubernetes/admin.conf': '',
    }
    const faults = await faultsOf(host)
    assert.equal(faults.length, 4, faults.join('\n'))
  })

  it('everything that expired', async () => {
    const faults = await faultsOf(complete, config, { now: new Date('2037-01-01T00:00:00Z') })
    assert.equal(faults.filter(fault => fault.startsWith('certs: cannot use the CA ')).length, 3)
    assert.equal(faults.filter(fault => fault.includes('it expired on 2027-11-23T14:20:00Z')).length, 7 + 5)
    assert.equal(faults.filter(fault => fault.includes('it expired on 2036-11-20T14:20:00Z')).length, 3)
  })

  it('leaves that are not valid for a new address', async () => {
    const moved = initConfig('v1.36.2', {}, { localAPIEndpoint: { advertiseAddress: '10.0.0.7', bindPort: 6443 } })
    const faults = await faultsOf(complete, moved)
    assert.equal(faults[0], `${reuse} it is not valid for 10.0.0.7; ${fix}`)
    assert.equal(faults.filter(fault => fault.includes('it is not valid for 10.0.0.7')).length, 3)
  })

  it('to sign without a CA', async () => {
    assert.deepEqual(await faultsOf({}, config, only('apiserver', 'etcd-server')), [
      `certs: cannot make "${PKI}/apiserver.crt": its CA "${PKI}/ca.crt" is missing; run 'certs ca' first`,
      `certs: cannot make "${PKI}/etcd/server.crt": its CA "${PKI}/etcd/ca.crt" is missing; run 'certs etcd-ca' first`,
    ])
  })

  it('leaves whose CA is gone', async () => {
    const faults = await faultsOf(without(complete, 'pki/ca.crt', 'pki/ca.key'))
    assert.equal(faults[0], `${reuse} its CA is not in "${PKI}"; ${fix}`)
    assert.equal(faults.length, 2 + 5)
  })

  it('a file that cannot be read, in words', async () => {
    const read = (path: string): string | undefined => {
      if (path === `${PKI}/ca.crt`) throw new Error(`files: cannot read "/root${path}": it is a folder; name a file`)
      return complete[path]
    }
    const faults = await faultsOf(complete, config, { read, ...only('ca') })
    assert.deepEqual(faults, [`certs: cannot use the CA "${PKI}/ca.crt": it is a folder; name a file; ${mendCa}`])
  })

  it('without telling a secret', async () => {
    const secret = textOf('sa.key').split('\n')[1] ?? '?'
    const broken = textOf('sa.key').replace('-----END', '-----ND')
    const yaml = (complete['/etc/kubernetes/admin.conf'] ?? '').replace('users:', 'users')
    const faults = await faultsOf({ ...put('sa.key', broken), '/etc/kubernetes/admin.conf': yaml })
    assert.equal(faults.length, 2, faults.join('\n'))
    assert.ok(!faults.join('').includes(secret))
    assert.ok(!/[A-Za-z0-9+/]{40}/.test(faults.join('')), 'base64 in a message')
  })
})

describe('issueCredentials() with an external CA', () => {
  const external = without(complete, 'pki/ca.key', 'front-proxy-ca.key')

  it('keeps everything when all is there', async () => {
    const { files, messages, kept } = await issue(config, external)
    assert.deepEqual(files, [])
    for (const message of [
      '[certs] Using existing ca keyless certificate authority',
      '[certs] Using existing front-proxy-ca keyless certificate authority',
      '[certs] Using existing apiserver certificate and key on disk',
      '[certs] Using existing sa keys',
      '[kubeconfig] External CA mode: Using user provided kubelet.conf',
    ]) {
      assert.ok(messages.includes(message), message)
    }
    assert.equal(kept.filter(({ path }) => path.endsWith('.conf')).length, 5)
    const read = (path: string): string | undefined => external[path]
    assert.equal(isExternalAuthority(config, 'ca', read), true)
    assert.equal(
      isExternalAuthority(config, 'ca', path => complete[path]),
      false,
    )
    assert.equal(
      isExternalAuthority(config, 'ca', () => undefined),
      false,
    )
  })

  it('still makes what other CAs sign', async () => {
    const { files } = await issue(config, without(external, 'etcd/server.crt', 'etcd/server.key'))
    assert.deepEqual(
      files.map(({ path }) => path),
      [`${PKI}/etcd/server.key`, `${PKI}/etcd/server.crt`],
    )
  })

  it('names everything that is missing', async () => {
    const faults = await faultsOf(
      without(
        external,
        '/apiserver.key',
        'front-proxy-client.crt',
        'front-proxy-client.key',
        '/admin.conf',
        'sa.key',
        'sa.pub',
      ),
    )
    assert.equal(faults.length, 4, faults.join('\n'))
    assert.match(faults[0] ?? '', /apiserver.crt": its key .* is missing; put the right files there, or have the owner/)
    assert.match(faults[1] ?? '', /cannot make .*front-proxy-client.crt": its CA .* has no key here \(external CA\); /)
    assert.match(faults[2] ?? '', /cannot use the external CA: .*sa.key" is missing; put the key pair there/)
    assert.match(faults[3] ?? '', /^kubeconfig: cannot make .*admin.conf": .* has no key here \(external CA\); /)
  })

  it('lets its owner choose the common name of a server', async () => {
    const authority = AUTHORITIES.find(({ name }) => name === 'etcd-ca')
    const spec = LEAVES.find(({ name }) => name === 'etcd-server')
    if (authority === undefined || spec === undefined) throw new Error('no etcd')
    const ca = certificate(authorityTemplate(authority, config, NOW), loose)
    const [parsed] = parseCertificates(formatCertificate(ca))
    const subject = { commonName: 'kube-etcd', organizations: [] }
    const template = { ...leafTemplate(spec, config, NOW, parsed), subject }
    const server = certificate(template, another, { key: loose, subject: parsed.subjectBytes })
    const host = {
      [`${PKI}/etcd/ca.crt`]: formatCertificate(ca),
      [`${PKI}/etcd/server.crt`]: formatCertificate(server),
      [`${PKI}/etcd/server.key`]: formatPrivateKey(another),
    }
    assert.deepEqual(await faultsOf(host, config, only('etcd-ca', 'etcd-server')), [])
    const ours = { ...host, [`${PKI}/etcd/ca.key`]: formatPrivateKey(loose) }
    assert.match(
      (await faultsOf(ours, config, only('etcd-ca', 'etcd-server')))[0] ?? '',
      /it names "kube-etcd" where "n1"/,
    )
  })

  it('takes intermediates from the leaf, and more than one certificate in ca.crt', async () => {
    const [root, middle] = [loose, another]
    const [authority] = AUTHORITIES
    const spec = LEAVES.find(({ name }) => name === 'apiserver-kubelet-client')
    if (authority === undefined || spec === undefined) throw new Error('no table')
    const template = authorityTemplate(authority, config, NOW)
    const rootBytes = certificate({ ...template, subject: { commonName: 'root', organizations: [] } }, root)
    const [rootCa] = parseCertificates(formatCertificate(rootBytes))
    const middleBytes = certificate(template, middle, { key: root, subject: rootCa.subjectBytes })
    const [middleCa] = parseCertificates(formatCertificate(middleBytes))
    const leafKey = parsePrivateKey(textOf('apiserver-kubelet-client.key'))
    const leaf = certificate(leafTemplate(spec, config, NOW, rootCa), leafKey, {
      key: middle,
      subject: middleCa.subjectBytes,
    })
    const host = (ca: string, chain: string): Host => ({
      [`${PKI}/ca.crt`]: ca,
      [`${PKI}/apiserver-kubelet-client.crt`]: chain,
      [`${PKI}/apiserver-kubelet-client.key`]: formatPrivateKey(leafKey),
    })
    const [rootPem, middlePem, leafPem] = [rootBytes, middleBytes, leaf].map(formatCertificate) as [
      string,
      string,
      string,
    ]
    const wanted = only('ca', 'apiserver-kubelet-client')
    assert.deepEqual(await faultsOf(host(rootPem, leafPem + middlePem), config, wanted), [])
    assert.deepEqual(await faultsOf(host(middlePem + rootPem, leafPem), config, wanted), [])
    assert.match((await faultsOf(host(rootPem, leafPem), config, wanted))[0] ?? '', /it is not signed by its CA/)
  })
})

describe('issueSigningRequests()', () => {
  const request = {
    config,
    leaves: LEAVES.map(({ name }) => name),
    kubeconfigs: ['admin', 'super-admin', 'kubelet', 'controller-manager', 'scheduler'],
    directories: { requests: '/csr', kubeconfigs: '/conf' },
    existing: 'refuse',
  } as const

  it('makes a key and a request of everything', async () => {
    const { files, messages } = await issueSigningRequests({ ...request, read: () => undefined })
    assert.equal(files.length, 24)
    assert.ok(files.every(({ mode }) => mode === 0o600))
    assert.deepEqual(
      files.slice(0, 2).map(({ path }) => path),
      ['/csr/apiserver.key', '/csr/apiserver.csr'],
    )
    assert.deepEqual(
      files.slice(-2).map(({ path }) => path),
      ['/conf/scheduler.conf', '/conf/scheduler.conf.csr'],
    )
    assert.equal(messages[0], 'generating keys and CSRs in /csr')
    assert.equal(messages[1], '  apiserver')
    assert.equal(messages[8], 'generating keys and CSRs in /conf')
    assert.equal(messages[9], '  admin.conf')
    const admin = String(files.find(({ path }) => path === '/conf/admin.conf')?.content)
    assert.ok(admin.includes('client-key-data') && !admin.includes('certificate'))
  })

  it('refuses what is there, all of it at once', async () => {
    const host: Host = {
      '/csr/apiserver.key': 'x',
      '/csr/etcd/peer.csr': 'x',
      '/conf/admin.conf': 'x',
      '/conf/kubelet.conf.csr': 'x',
    }
    await assert.rejects(issueSigningRequests({ ...request, read: path => host[path] }), (error: Error) => {
      assert.equal(error.message.split('\n').length, 4)
      assert.match(error.message, /^certs: cannot make "\/csr\/apiserver.key": the file exists already; /)
      return true
    })
  })

  it('keeps what is there when told to, if it fits', async () => {
    const keep = { ...request, kubeconfigs: [], existing: 'keep' } as const
    const { files } = await issueSigningRequests({ ...keep, read: () => undefined })
    const host = hostWith(files)
    const again = await issueSigningRequests({ ...keep, read: path => host[path] })
    assert.deepEqual(again.files, [])
    assert.equal(again.messages[0], '[certs] Using the existing "apiserver" CSR')
    const mixed: Host = {
      ...host,
      '/csr/apiserver.key': host['/csr/front-proxy-client.key'] ?? '',
      '/csr/etcd/server.csr': 'x',
    }
    await assert.rejects(issueSigningRequests({ ...keep, read: path => mixed[path] }), (error: Error) => {
      const lines = error.message.split('\n')
      assert.match(lines[0] ?? '', /apiserver.csr": it is for another key than/)
      assert.match(lines[1] ?? '', /etcd\/server.csr": it holds no PEM block/)
      assert.equal(lines.length, 2)
      return true
    })
    const half = without(host, 'front-proxy-client.csr')
    await assert.rejects(
      issueSigningRequests({ ...keep, read: path => half[path] }),
      /it is missing, while the other half/,
    )
  })

  it('takes names from the configuration', async () => {
    const spec = LEAVES.find(({ name }) => name === 'apiserver')
    if (spec === undefined) throw new Error('no apiserver')
    const { files } = await issueSigningRequests({
      ...request,
      leaves: ['apiserver'],
      kubeconfigs: [],
      read: () => undefined,
    })
    const der = Buffer.from(String(files[1]?.content).replace(/-----.*-----|\n/g, ''), 'base64')
    for (const name of leafIdentity(spec, config).names.dnsNames) assert.ok(der.includes(Buffer.from(name)), name)
  })
})
