/** A kubelet whose certificate has ended: noticed, said with what to do, and given another by `certs renew all`. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseCertificates } from '../../lib/kubeadm/credentials/certificate.ts'
import { clientOf } from '../../lib/kubeadm/credentials/existing-kubeconfig.ts'
import { kubeletClientFault } from '../../lib/kubeadm/credentials/kubelet-client.ts'
import { KUBELET_CLIENT } from '../../lib/kubeadm/credentials/renewable.ts'
import { renewCredentials } from '../../lib/kubeadm/credentials/renewal.ts'
import { finalFiles } from '../../lib/phases/kubelet-finalize.ts'
import { kubeletWarning } from '../../lib/phases/renew/check-expiration.ts'
import { nodeName } from '../../lib/phases/run/live-config.ts'
import { type Host, hostWith, initConfig, issue, NOW, PKI, without } from '../pki.ts'

const CONF = '/etc/kubernetes/kubelet.conf'
const CURRENT = '/var/lib/kubelet/pki/kubelet-client-current.pem'
const AFTER = new Date(NOW.getTime() + 366 * 24 * 3_600_000)
const config = initConfig()

/** A host as an init leaves it: kubelet.conf names a link. */
async function finalHost(): Promise<Host> {
  const made = hostWith((await issue(config)).files)
  return withLink(
    made,
    finalFiles(config, [entry(made)], () => undefined, NOW),
  )
}

const entry = (host: Host) => ({ path: CONF, mode: 0o600, content: host[CONF] ?? '' })

function withLink(host: Host, { files, link }: ReturnType<typeof finalFiles>): Host {
  const all = hostWith(files, host)
  return link === undefined ? all : { ...all, [link.path]: all[link.path.replace(/[^/]+$/, link.target)] ?? '' }
}

/** What a disk that was full left of the pair. */
const certificateOf = (host: Host): string => (host[CURRENT] ?? '').replace(/-----BEGIN [A-Z ]*PRIVATE KEY[\s\S]*/, '')

const token = (host: Host): string =>
  (host[CONF] ?? '').replace(/ {4}client-certificate: .*\n {4}client-key: .*/, '    token: t')

describe('kubeletClientFault()', () => {
  const rows: readonly (readonly [
    what: string,
    change: (host: Host) => Host,
    now: Date,
    fault: readonly [path: string, reason: RegExp] | undefined,
  ])[] = [
    ['good', host => host, NOW, undefined],
    ['ended', host => host, AFTER, [CURRENT, /^it expired on 2027-11-23T14:20:00Z$/]],
    ['the file that is named is gone', host => without(host, CURRENT), NOW, [CURRENT, /^it does not exist$/]],
    ['damaged', host => ({ ...host, [CURRENT]: 'x' }), NOW, [CURRENT, /no PEM block/]],
    [
      'without its key',
      host => ({ ...host, [CURRENT]: certificateOf(host) }),
      NOW,
      [CURRENT, /of its client key: it holds no private key/],
    ],
    ['kubelet.conf is no YAML', host => ({ ...host, [CONF]: 'a: [' }), NOW, [CONF, /not valid YAML/]],
    ['a token in place of a certificate', host => ({ ...host, [CONF]: token(host) }), AFTER, undefined],
    ['no kubelet here', host => without(host, 'kubelet.conf'), AFTER, undefined],
  ]
  for (const [what, change, now, fault] of rows) {
    test(what, async () => {
      const host = change(await finalHost())
      const found = kubeletClientFault(path => host[path], now)
      assert.equal(found?.path, fault?.[0])
      if (fault !== undefined) assert.match(found?.reason ?? '', fault[1])
    })
  }

  test('what to do about it depends on where the key of the CA is', async () => {
    const host = await finalHost()
    const say = (there: Host): string =>
      kubeletWarning({ path: CURRENT, reason: 'it expired' }, config, path => there[path], String)
    assert.match(say(host), /kubelet-client-current\.pem": it expired; 'certs renew all' makes another/)
    assert.match(say(without(host, 'ca.key')), /--client-name system:node:n1 --org system:nodes' makes another: put it/)
  })
})

describe('nodeName()', () => {
  const FLAGS = '/var/lib/kubelet/kubeadm-flags.env'
  const told = { [FLAGS]: 'KUBELET_KUBEADM_ARGS="--hostname-override=n7 --v=2"' }
  const rows: readonly (readonly [what: string, change: (host: Host) => Host, name: string | undefined])[] = [
    ['that of the certificate', host => ({ ...host, ...told }), 'n1'],
    ['the certificate is gone', host => ({ ...without(host, CURRENT), ...told }), 'n7'],
    ['kubelet.conf is damaged', host => ({ ...host, ...told, [CONF]: 'a: [' }), 'n7'],
    ['nobody says it', host => ({ ...host, [CONF]: 'a: [' }), undefined],
  ]
  for (const [what, change, name] of rows) {
    test(what, async () => {
      const host = change(await finalHost())
      assert.equal(
        nodeName(path => host[path]),
        name,
      )
    })
  }
})

describe('renewCredentials(), of a kubelet that is shut out', () => {
  const renewed = (host: Host) =>
    renewCredentials({
      config,
      read: path => host[path],
      place: String,
      now: AFTER,
      rows: [KUBELET_CLIENT],
      all: true,
      rebuildNames: false,
      kubeconfigs: '/etc/kubernetes',
    })
  const rows: readonly (readonly [what: string, change: (host: Host) => Host, server: string])[] = [
    ['ended', host => host, 'https://10.0.0.5:6443'],
    [
      'ended, with a server of its own',
      host => ({ ...host, [CONF]: (host[CONF] ?? '').replace(/server: .*/, 'server: https://lb:1') }),
      'https://lb:1',
    ],
    ['gone', host => without(host, CURRENT), 'https://10.0.0.5:6443'],
    ['damaged', host => ({ ...host, [CONF]: 'a: [' }), 'https://10.0.0.5:6443'],
  ]
  for (const [what, change, server] of rows) {
    test(what, async () => {
      const before = change(await finalHost())
      const { files } = await renewed(before)
      const host = withLink(
        before,
        finalFiles(config, files, path => before[path], AFTER),
      )
      assert.equal(
        kubeletClientFault(path => host[path], AFTER),
        undefined,
      )
      const { certificates } = clientOf({ path: CONF, text: host[CONF] ?? '' }, path => host[path])
      assert.deepEqual(certificates?.[0].subject, { commonName: 'system:node:n1', organizations: ['system:nodes'] })
      assert.ok((host[CONF] ?? '').includes(`server: ${server}`))
      assert.ok((host[CONF] ?? '').includes(`client-certificate: ${CURRENT}`))
      assert.ok(parseCertificates(host[CURRENT] ?? '').length > 0)
    })
  }

  test('where the key of the CA is elsewhere, nothing is made', async () => {
    const { files, messages } = await renewed(without(await finalHost(), `${PKI}/ca.key`))
    assert.deepEqual(
      [files, messages],
      [[], ["Detected external ca, client certificate of the kubelet can't be renewed"]],
    )
  })
})
