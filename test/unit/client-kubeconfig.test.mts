/** A kubeconfig for a further user, as kubeadm v1.36.2 prints it; what is unsafe is refused before anything is read. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parse } from '../../lib/base/yaml.ts'
import { parseArguments } from '../../lib/cli/arguments.ts'
import { isSignedBy, parseCertificates, same } from '../../lib/kubeadm/credentials/certificate.ts'
import { clientKubeconfig } from '../../lib/kubeadm/credentials/client-kubeconfig.ts'
import { clientOf } from '../../lib/kubeadm/credentials/existing-kubeconfig.ts'
import { kubeconfig } from '../../lib/phases/kubeconfig.ts'
import { outputOf } from '../output.ts'
import { type Host, hostWith, initConfig, issue, NOW, without } from '../pki.ts'

const config = initConfig('v1.36.2', { controlPlaneEndpoint: 'api.example.org:6443', clusterName: 'mine' })
const subject = { commonName: 'joe', organizations: ['dev', 'ops'] }

const make = (host: Host, more: object = {}) =>
  clientKubeconfig({ config, read: path => host[path], place: path => path, now: NOW, subject, ...more })

describe('clientKubeconfig()', () => {
  test('a certificate of the CA, with the names and the server of the cluster', async () => {
    const host = hostWith((await issue(config)).files)
    const { text, warnings } = await make(host)
    const { certificates, key } = clientOf({ path: '/x', text }, () => undefined)
    const [leaf] = certificates ?? []
    const [ca] = parseCertificates(host['/etc/kubernetes/pki/ca.crt'] ?? '')
    assert.ok(leaf !== undefined && key !== undefined)
    assert.ok(isSignedBy(leaf, ca) && same(key.publicKey, leaf.publicKey))
    assert.deepEqual([leaf.subject, warnings], [subject, []])
    assert.deepEqual([leaf.notBefore, leaf.notAfter.getTime() - NOW.getTime()], [ca.notBefore, 8760 * 3_600_000 - 500])
    const { users: _, ...rest } = parse(text) as { clusters: readonly { cluster: object }[]; users: unknown }
    assert.deepEqual(JSON.parse(JSON.stringify(rest, (key, value) => (key.endsWith('-data') ? '' : value))), {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        { name: 'mine', cluster: { 'certificate-authority-data': '', server: 'https://api.example.org:6443' } },
      ],
      contexts: [{ name: 'joe@mine', context: { cluster: 'mine', user: 'joe' } }],
      'current-context': 'joe@mine',
    })
  })

  test("a token needs no CA's key, a certificate does", async () => {
    const host = without(hostWith((await issue(config)).files), 'pki/ca.key')
    const { text } = await make(host, { token: 'abc' })
    assert.deepEqual((parse(text) as { users: unknown }).users, [{ name: 'joe', user: { token: 'abc' } }])
    await assert.rejects(make(host), /the key of the CA is not here \(external CA\)/)
    await assert.rejects(make({}), /the CA "\/etc\/kubernetes\/pki\/ca\.crt" is missing/)
  })

  test('one that would outlive its CA is told so', async () => {
    const short = initConfig('v1.36.2', { caCertificateValidityPeriod: '24h0m0s' })
    const { warnings } = await make(hostWith((await issue(short)).files))
    assert.match(warnings.join(), /counts only until its CA ends, on 2026-11-24T14:20:00Z/)
  })
})

describe('a user whose name means something in YAML or in a name of a certificate', () => {
  for (const name of ['a: b#"', "'", '{}', '- x', 'null', '1', 'jo,CN=root', 'jörg', '用户', 'x'.repeat(200), 'a@b']) {
    test(name, async () => {
      const host = hostWith((await issue(config)).files)
      const { text } = await make(host, { subject: { commonName: name, organizations: ['o=1,CN=x', 'ü'] } })
      const { certificates } = clientOf({ path: '/x', text }, () => undefined)
      const { commonName, organizations } = certificates?.[0].subject ?? {}
      assert.deepEqual([commonName, new Set(organizations)], [name, new Set(['o=1,CN=x', 'ü'])])
      assert.equal((parse(text) as { 'current-context': string })['current-context'], `${name}@mine`)
    })
  }
})

describe('kubeconfig user', () => {
  const rows: readonly (readonly [args: readonly string[], fault: RegExp])[] = [
    [['user'], /--client-name has to say for whom/],
    [
      ['user', '--client-name', 'joe', '--org', 'dev,system:masters'],
      /cannot put "joe" into the group "system:masters"/,
    ],
    [['user', '--client-name', ' '], /--client-name has to say for whom/],
    [
      ['user', '--client-name', 'joe\nadmin'],
      /cannot use --client-name "joe\\nadmin": it has a character that does not show/,
    ],
    [['user', '--client-name', 'joe', '--org', 'dev,o\u200bps'], /cannot use --org "o.ps": it has a character/],
    [
      ['user', '--client-name', 'joe', '--validity-period', '999ms'],
      /"999ms": the certificate would have ended already/,
    ],
    [['user', '--client-name', 'joe', '--token', 'a\r\nb'], /cannot use --token: it is empty, or has characters/],
    [
      ['user', '--org', 'system:masters', '--validity-period', '1ms', '--token', ''],
      /for whom; add it\n.*system:masters.*\n.*"1ms".*\n.*--token/,
    ],
  ]
  for (const [args, fault] of rows) {
    test(args.join(' '), async () => {
      const call = { ...parseArguments(kubeconfig.command, args), name: 'kubeconfig', output: outputOf() }
      await assert.rejects(kubeconfig.run(call), fault)
    })
  }
})
