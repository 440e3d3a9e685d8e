/** Certificates renewed in memory: what stays, what is new, and what is left alone. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { InitConfig } from '../../lib/base/kubeadm.ts'
import { parse } from '../../lib/base/yaml.ts'
import { type Certificate, parseCertificates, same } from '../../lib/kubeadm/credentials/certificate.ts'
import { clientOf } from '../../lib/kubeadm/credentials/existing-kubeconfig.ts'
import { parsePrivateKey } from '../../lib/kubeadm/credentials/keys.ts'
import { RENEWABLES, type Renewable, renewablesOf } from '../../lib/kubeadm/credentials/renewable.ts'
import { absenceOf, type RenewalRequest, renewCredentials } from '../../lib/kubeadm/credentials/renewal.ts'
import { issueRenewalRequests } from '../../lib/kubeadm/credentials/requests.ts'
import { takersOf } from '../../lib/phases/renew/certificate-users.ts'
import { type Host, hostWith, initConfig, issue, NOW, PKI, without } from '../pki.ts'

const DAY_MS = 24 * 3_600_000
const LATER = new Date(NOW.getTime() + 30 * DAY_MS)
const ADMIN = '/etc/kubernetes/admin.conf'

function requestOf(config: InitConfig, host: Host, more: Partial<RenewalRequest> = {}): RenewalRequest {
  const rows = renewablesOf(config)
  const request = { config, rows, all: true, rebuildNames: false, kubeconfigs: '/etc/kubernetes', now: LATER }
  return { ...request, read: path => host[path], ...more }
}

const named = (...names: readonly string[]): Renewable[] => RENEWABLES.filter(({ name }) => names.includes(name))
const leafOf = (host: Host, name: string): Certificate => parseCertificates(host[`${PKI}/${name}.crt`] ?? '')[0]

const clientIn = (host: Host): { certificate: Certificate; keyFits: boolean } => {
  const { certificates, key } = clientOf({ path: ADMIN, text: host[ADMIN] ?? '' }, path => host[path])
  assert.ok(certificates !== undefined && key !== undefined)
  return { certificate: certificates[0], keyFits: same(key.publicKey, certificates[0].publicKey) }
}

describe('renewCredentials()', () => {
  for (const release of ['v1.36.2', 'v1.30.0', 'v1.20.2']) {
    test(`${release}: whom they name and what for stays; key, serial and dates are new`, async () => {
      const config = initConfig(release)
      const before = hostWith((await issue(config)).files)
      const { files, messages } = await renewCredentials(requestOf(config, before))
      const after = hostWith(files, before)
      assert.equal(files.length, 7 * 2 + (release === 'v1.20.2' || release === 'v1.18.3' ? 3 : 4))
      assert.ok(messages.every(message => message.endsWith(' renewed')))
      for (const { baseName } of RENEWABLES.flatMap(row => ('leaf' in row ? [row.leaf] : []))) {
        const [old, fresh] = [leafOf(before, baseName), leafOf(after, baseName)]
        assert.deepEqual([fresh.subject, fresh.names, fresh.usages], [old.subject, old.names, old.usages], baseName)
        assert.equal(same(fresh.publicKey, old.publicKey) || same(fresh.serial, old.serial), false)
        assert.ok(same(parsePrivateKey(after[`${PKI}/${baseName}.key`] ?? '').publicKey, fresh.publicKey))
        assert.equal(fresh.notAfter.getTime() - old.notAfter.getTime(), 30 * DAY_MS)
        // Since 1.31 from a little before; until then from the CA's beginning.
        const begins = release === 'v1.36.2' ? LATER.getTime() - 300_500 : leafOf(before, 'ca').notBefore.getTime()
        assert.equal(fresh.notBefore.getTime(), begins, baseName)
      }
      const { certificate, keyFits } = clientIn(after)
      assert.ok(keyFits)
      assert.deepEqual(certificate.subject, clientIn(before).certificate.subject)
      assert.equal(after['/etc/kubernetes/kubelet.conf'], before['/etc/kubernetes/kubelet.conf'])
    })
  }

  test('a kubeconfig keeps everything but the credentials of its current context', async () => {
    const config = initConfig()
    const made = hostWith((await issue(config)).files)
    const theirs = (made[ADMIN] ?? '')
      .replace('users:', 'users:\n- name: other\n  user:\n    token: t')
      .replace(/server: .*/, 'server: https://elsewhere:1')
    const before = { ...made, [ADMIN]: theirs }
    const { files } = await renewCredentials(requestOf(config, before, { rows: named('admin.conf') }))
    const blank = (text: unknown): unknown =>
      JSON.parse(JSON.stringify(parse(String(text))).replace(/(client-[a-z]+-data":")[^"]+/g, '$1'))
    assert.deepEqual(blank(files[0]?.content), blank(theirs))
  })

  test('names: those of the old certificate with a warning, or by --rebuild-names those of the configuration', async () => {
    const host = hostWith((await issue(initConfig())).files)
    const config = initConfig('v1.36.2', { apiServer: { certSANs: ['api.example.org'] } })
    const rows = named('apiserver')
    const kept = await renewCredentials(requestOf(config, host, { rows }))
    assert.match(kept.warnings.join(), /apiserver is renewed as it was, but it is not valid for api\.example\.org/)
    assert.equal(leafOf(hostWith(kept.files), 'apiserver').names.dnsNames.includes('api.example.org'), false)
    const rebuilt = await renewCredentials(requestOf(config, host, { rows, rebuildNames: true }))
    assert.deepEqual(rebuilt.warnings, [])
    assert.ok(leafOf(hostWith(rebuilt.files), 'apiserver').names.dnsNames.includes('api.example.org'))
  })

  const rows: readonly (readonly [
    what: string,
    change: (host: Host) => Host,
    asked: readonly string[],
    files: readonly string[],
    message: RegExp,
  ])[] = [
    [
      'what is missing is made',
      host => without(host, 'apiserver.crt', 'apiserver.key'),
      ['apiserver'],
      [`${PKI}/apiserver.key`, `${PKI}/apiserver.crt`],
      /^MISSING! certificate for serving the Kubernetes API\n\[certs\] Generating "apiserver"/,
    ],
    [
      'a missing kubeconfig too',
      host => without(host, 'admin.conf'),
      ['admin.conf'],
      [ADMIN],
      /^MISSING!.*\n.*Writing/,
    ],
    [
      'super-admin.conf by its name',
      host => without(host, 'super-admin.conf'),
      ['super-admin.conf'],
      ['/etc/kubernetes/super-admin.conf'],
      /^MISSING!/,
    ],
    [
      "what an external CA has signed is left alone, and what another has signed isn't",
      host => without(host, 'etcd/ca.key'),
      ['etcd-server', 'apiserver-etcd-client', 'scheduler.conf'],
      ['/etc/kubernetes/scheduler.conf'],
      /^Detected external etcd\/ca, .*etcd can't be renewed\nDetected external etcd\/ca, .*\n.* renewed$/,
    ],
  ]
  for (const [what, change, asked, files, message] of rows) {
    test(what, async () => {
      const config = initConfig()
      const host = change(hostWith((await issue(config)).files))
      const made = await renewCredentials(requestOf(config, host, { rows: named(...asked), all: false }))
      assert.deepEqual(
        made.files.map(({ path }) => path),
        files,
      )
      assert.match(made.messages.join('\n'), message)
    })
  }

  test('with all the others, super-admin.conf is not made again', async () => {
    const config = initConfig()
    const host = without(hostWith((await issue(config)).files), 'super-admin.conf', 'scheduler.conf')
    const { files } = await renewCredentials(requestOf(config, host))
    const paths = files.map(({ path }) => path)
    assert.deepEqual(
      [paths.includes('/etc/kubernetes/scheduler.conf'), paths.some(path => /super/.test(path))],
      [true, false],
    )
  })

  test('all faults at once, and nothing is made', async () => {
    const config = initConfig()
    const made = hostWith((await issue(config)).files)
    const text = (made[ADMIN] ?? '').replace(/client-certificate-data: .*/, `client-certificate: ${PKI}/apiserver.crt`)
    const host = { ...without(made, 'etcd/ca.crt', 'etcd/ca.key'), [`${PKI}/apiserver.crt`]: 'x', [ADMIN]: text }
    await assert.rejects(renewCredentials(requestOf(config, host)), ({ message }: Error) => {
      assert.match(message, /cannot renew etcd-server: its CA "\/etc\/kubernetes\/pki\/etcd\/ca\.crt" is missing/)
      assert.match(message, /cannot renew "\/etc\/kubernetes\/pki\/apiserver\.crt": it holds no PEM block; delete it/)
      assert.match(message, /cannot renew "\/etc\/kubernetes\/admin\.conf": /)
      return true
    })
    const expired = new Date(NOW.getTime() + 11 * 365 * DAY_MS)
    await assert.rejects(
      renewCredentials(requestOf(config, made, { now: expired })),
      /cannot use the CA .*it expired on/,
    )
  })

  test('signing requests in place of certificates', async () => {
    const config = initConfig()
    const host = hostWith((await issue(config)).files)
    const made = await issueRenewalRequests({
      ...requestOf(config, host, { rows: named('apiserver', 'admin.conf') }),
      folder: '/csr',
    })
    assert.deepEqual(
      made.files.map(({ path, mode }) => [path, mode]),
      ['admin.conf.key', 'admin.conf.csr', 'apiserver.key', 'apiserver.csr'].map(name => [`/csr/${name}`, 0o600]),
    )
  })
})

describe('absenceOf()', () => {
  const external = { external: { endpoints: ['https://10.0.0.9:2379'], caFile: '/a', certFile: '/b', keyFile: '/c' } }
  const rows: readonly (readonly [config: InitConfig, name: string, reason: RegExp | undefined])[] = [
    [initConfig(), 'super-admin.conf', undefined],
    [initConfig('v1.20.2'), 'super-admin.conf', /v1\.20\.2 has none/],
    [initConfig('v1.36.2', { etcd: external }), 'etcd-peer', /etcd is external/],
    [initConfig('v1.36.2', { etcd: external }), 'apiserver', undefined],
  ]
  for (const [config, name, reason] of rows) {
    test(`${name} of ${config.cluster.kubernetesVersion}`, () => {
      const [row] = named(name)
      assert.ok(row !== undefined)
      const found = absenceOf(row, config)
      if (reason === undefined) assert.equal(found, undefined)
      else assert.match(found ?? '', reason)
    })
  }
})

describe('takersOf()', () => {
  const [api, manager, scheduler] = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler']
  const rows: readonly (readonly [
    what: string,
    release: string,
    names: readonly string[],
    leftMs: number,
    wanted: readonly (string | undefined)[],
  ])[] = [
    ['all, long before the end', 'v1.36.2', RENEWABLES.map(({ name }) => name), DAY_MS, [manager, scheduler]],
    [
      'all, too late for the API server to look again',
      'v1.36.2',
      RENEWABLES.map(({ name }) => name),
      60_000,
      [api, manager, scheduler],
    ],
    ['all, when they have ended', 'v1.36.2', RENEWABLES.map(({ name }) => name), -DAY_MS, [api, manager, scheduler]],
    ['a release that looks once', 'v1.18.9', ['apiserver'], DAY_MS, [api]],
    ["etcd's own", 'v1.36.2', ['etcd-server', 'etcd-peer', 'etcd-healthcheck-client'], -DAY_MS, []],
    ["an admin's", 'v1.36.2', ['admin.conf', 'super-admin.conf'], -DAY_MS, []],
    ['one', 'v1.36.2', ['scheduler.conf'], DAY_MS, [scheduler]],
  ]
  for (const [what, release, names, leftMs, wanted] of rows) {
    test(what, () => {
      const end = new Date(NOW.getTime() + leftMs)
      const there = named(...names).map(row => [row, end] as const)
      assert.deepEqual(
        takersOf(there, initConfig(release), () => '', NOW),
        wanted,
      )
      assert.deepEqual(
        takersOf(there, initConfig(release), () => undefined, NOW),
        [],
        'no static Pod, no restart',
      )
    })
  }
})
