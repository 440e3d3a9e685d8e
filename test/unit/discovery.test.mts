/** Discovery against servers that are what they are: the right one, the wrong one, garbage, somebody in between. */
import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import { createServer as createTcpServer } from 'node:net'
import { after, describe, it } from 'node:test'
import { parseToken } from '../../lib/base/token.ts'
import { readClusterInfo } from '../../lib/cluster/discovery/cluster-info.ts'
import { discoverByFile } from '../../lib/cluster/discovery/file-discovery.ts'
import { discoverByToken, type TokenQuestion } from '../../lib/cluster/discovery/token-discovery.ts'
import { parsePins, pinsOf } from '../../lib/kubeadm/credentials/ca-pins.ts'
import { signatureKey, signClusterInfo } from '../../lib/kubeadm/credentials/cluster-info-signature.ts'
import { hostWith, initConfig, issue, PKI } from '../pki.ts'

const TOKEN = 'abcdef.0123456789abcdef'
const servers: { close: () => void }[] = []
after(() => {
  for (const server of servers) server.close()
})

interface Authority {
  readonly ca: string
  readonly certificate: string
  readonly key: string
}

async function authority(): Promise<Authority> {
  const config = initConfig('v1.36.2', { encryptionAlgorithm: 'ECDSA-P256', apiServer: { certSANs: ['127.0.0.1'] } })
  const { files } = await issue(config, {}, { certificates: ['ca', 'apiserver'], kubeconfigs: [], now: new Date() })
  const host = hostWith(files)
  const text = (name: string): string => host[`${PKI}/${name}`] ?? assert.fail(name)
  return { ca: text('ca.crt'), certificate: text('apiserver.crt'), key: text('apiserver.key') }
}

function kubeconfig(server: string, ca: string): string {
  const data = Buffer.from(ca).toString('base64')
  return `apiVersion: v1\nkind: Config\nclusters:\n- name: ""\n  cluster:\n    server: ${server}\n    certificate-authority-data: ${data}\n`
}

/** `says` gets the port; undefined is 404. */
async function listen(
  own: Authority,
  says: (port: number, look: number) => Promise<object | string | undefined>,
  headers: Readonly<Record<string, string>> = {},
): Promise<number> {
  let looks = 0
  const server: Server = createServer(
    { cert: own.certificate, key: own.key },
    (_: IncomingMessage, answer: ServerResponse) => {
      void says(portOf(server), looks++).then(body => {
        for (const [name, value] of Object.entries(headers)) answer.setHeader(name, value)
        if (typeof body === 'string') return answer.end(body)
        answer.statusCode = body === undefined ? 404 : 200
        answer.end(JSON.stringify(body ?? { kind: 'Status' }))
      })
    },
  )
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  servers.push(server)
  return portOf(server)
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** cluster-info as a cluster signs it. */
async function info(config: string, token: string = TOKEN): Promise<object> {
  const parsed = parseToken(token) ?? assert.fail()
  return {
    kind: 'ConfigMap',
    data: { kubeconfig: config, [signatureKey(parsed.id)]: await signClusterInfo(config, parsed) },
  }
}

function ask(port: number, ca: string, more: Partial<TokenQuestion> = {}): ReturnType<typeof discoverByToken> {
  return discoverByToken({
    endpoint: `127.0.0.1:${port}`,
    token: TOKEN,
    pins: pinsOf(ca),
    bootstrapToken: TOKEN,
    patienceMs: 0,
    say: () => {},
    ...more,
  })
}

describe('discovery by token', () => {
  it('finds the cluster, and takes the server that it names', async () => {
    const own = await authority()
    const port = await listen(own, at => info(kubeconfig(`https://127.0.0.1:${at}`, own.ca)))
    const found = await ask(port, own.ca)
    assert.equal(found.server, `https://127.0.0.1:${port}`)
    assert.equal(found.ca, own.ca)
    assert.deepEqual(found.identity, { token: TOKEN })
    assert.deepEqual(found.notices, [])
    const named = await listen(own, () => info(kubeconfig('https://cp.example.com:6443', own.ca)))
    const other = await ask(named, own.ca)
    assert.equal(other.server, 'https://cp.example.com:6443')
    assert.match(other.notices.join(), /says that it is at "https:\/\/cp\.example\.com:6443"/)
  })

  const refusals: readonly (readonly [what: string, says: RegExp, run: () => Promise<unknown>])[] = [
    [
      'another CA than the pinned one',
      /none of its CAs has the hash/,
      async () => {
        const [own, other] = [await authority(), await authority()]
        return ask(await listen(own, at => info(kubeconfig(`https://127.0.0.1:${at}`, own.ca))), other.ca)
      },
    ],
    [
      'somebody between who passes the real cluster-info on',
      /another CA has signed its certificate/,
      async () => {
        const [real, between] = [await authority(), await authority()]
        return ask(await listen(between, () => info(kubeconfig('https://127.0.0.1:6443', real.ca))), real.ca)
      },
    ],
    [
      'somebody between who signs with another secret',
      /is not signed with this token, of which the id "abcdef" is right/,
      async () => {
        const own = await authority()
        return ask(
          await listen(own, () => info(kubeconfig('https://127.0.0.1:6443', own.ca), 'abcdef.ffffffffffffffff')),
          own.ca,
        )
      },
    ],
    [
      'a token that is not signed there',
      /token "abcdef" is unknown there or has expired; those of 222222, aaaaaa are signed there/,
      async () => {
        const own = await authority()
        const data = {
          kubeconfig: kubeconfig('https://127.0.0.1:1', own.ca),
          [signatureKey('aaaaaa')]: 'x',
          [signatureKey('222222')]: 'x',
        }
        return ask(await listen(own, async () => ({ kind: 'ConfigMap', data })), own.ca)
      },
    ],
    [
      'a cluster that is not of kubeadm',
      /it is not there: kubeadm did not make this cluster/,
      async () => ask(await listen(await authority(), async () => undefined), (await authority()).ca),
    ],
    [
      'a web server',
      /is not an API server/,
      async () => ask(await listen(await authority(), async () => '<html>'), (await authority()).ca),
    ],
    ...(
      [
        ['a clock that is two days behind', 200_000_000, /this machine's clock is 2d\w+ behind the server's/],
        ['a clock that is two days ahead', -200_000_000, /this machine's clock is 2d\w+ ahead of the server's/],
      ] as const
    ).map(([what, by, says]): (typeof refusals)[number] => [
      what,
      says,
      async () => {
        const own = await authority()
        const date = new Date(Date.now() + by).toUTCString()
        return ask(await listen(own, at => info(kubeconfig(`https://127.0.0.1:${at}`, own.ca)), { date }), own.ca)
      },
    ]),
    ['nobody', /nothing listens there/, async () => ask(1, (await authority()).ca)],
    [
      'a server that speaks something else',
      /is that the port of an API server/,
      async () => {
        const server = createTcpServer(socket => socket.end('SSH-2.0-x\r\n'))
        await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
        servers.push(server)
        const address = server.address()
        return ask(typeof address === 'object' ? (address?.port ?? 0) : 0, (await authority()).ca)
      },
    ],
  ]
  for (const [what, says, run] of refusals) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(run(), (error: Error) => {
        assert.match(error.message, says)
        assert.doesNotMatch(error.message, /0123456789abcdef/)
        return true
      })
    })
  }
})

it('a file does not help against a clock that is off, also when cluster-info is not for everybody', async () => {
  const own = await authority()
  const date = new Date(Date.now() - 200_000_000).toUTCString()
  for (const says of [async () => undefined, (at: number) => info(kubeconfig(`https://127.0.0.1:${at}`, own.ca))]) {
    const text = kubeconfig(`https://127.0.0.1:${await listen(own, says, { date })}`, own.ca)
    const asked = discoverByFile({ place: '/f', read: () => text, bootstrapToken: TOKEN })
    await assert.rejects(asked, /this machine's clock is 2d\w+ ahead of the server's/)
  }
})

it('a server that waits for etcd is told from one that is silent', async () => {
  const own = await authority()
  for (const [ready, says] of [
    [
      '[+]ping ok\n[-]etcd failed: reason withheld\nlivez check failed\n',
      /it has no etcd: more than half of the members/,
    ],
    ['[+]ping ok\n[+]etcd ok\nlivez check passed\n', /takes the connection and gives no answer/],
  ] as const) {
    const server = createServer({ cert: own.certificate, key: own.key }, ({ url }, answer) => {
      if (url?.startsWith('/livez')) answer.end(ready)
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    servers.push(server)
    await assert.rejects(readClusterInfo({ server: `https://127.0.0.1:${portOf(server)}`, limitMs: 200 }), says)
  }
})

describe('discovery by file', () => {
  it('takes server, CA and credentials of the file', async () => {
    const own = await authority()
    const port = await listen(own, at => info(kubeconfig(`https://127.0.0.1:${at}`, own.ca)))
    const text = kubeconfig(`https://127.0.0.1:${port}`, own.ca)
    const read = (): string => text
    const found = await discoverByFile({ place: '/f', read, bootstrapToken: TOKEN })
    assert.deepEqual([found.server, found.ca, found.identity], [`https://127.0.0.1:${port}`, own.ca, { token: TOKEN }])
    await assert.rejects(discoverByFile({ place: '/f', read }), /neither a token nor a client certificate/)
    await assert.rejects(discoverByFile({ place: '/f', read: () => undefined }), /does not exist/)
    await assert.rejects(discoverByFile({ place: '/f', read: () => 'x', bootstrapToken: TOKEN }), /not a kubeconfig/)
  })
})

it('parsePins() takes case as it comes, and names every one that is none', () => {
  const hash = 'AB'.repeat(32)
  assert.deepEqual(parsePins([`SHA256:${hash}`]), [`sha256:${hash.toLowerCase()}`])
  assert.throws(
    () => parsePins(['sha256:00', 'md5:00', hash, `sha256:${'zz'.repeat(32)}`]),
    (error: Error) => {
      assert.deepEqual(
        error.message.split('\n').map(line => /": ([^;]*);/.exec(line)?.[1]),
        [
          'it has 1 bytes and not 32',
          'its format is "md5" and not sha256',
          'it has no format before a colon',
          'it is not hexadecimal',
        ],
      )
      return true
    },
  )
})
