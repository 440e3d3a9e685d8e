/** Discovery against servers that are what they are: the right one, the wrong one, garbage, somebody in between. */
import assert from 'node:assert/strict'
import { createServer as createPlainServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import { createServer as createTcpServer } from 'node:net'
import { after, describe, it } from 'node:test'
import { parseToken } from '../../lib/base/token.ts'
import { clockVerdict } from '../../lib/cluster/discovery/clock.ts'
import { readClusterInfo } from '../../lib/cluster/discovery/cluster-info.ts'
import { discoverByFile, type FileQuestion } from '../../lib/cluster/discovery/file-discovery.ts'
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

async function authority(now: Date = new Date()): Promise<Authority> {
  const config = initConfig('v1.36.2', { encryptionAlgorithm: 'ECDSA-P256', apiServer: { certSANs: ['127.0.0.1'] } })
  const { files } = await issue(config, {}, { certificates: ['ca', 'apiserver'], kubeconfigs: [], now })
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

function portOf(server: Pick<Server, 'address'>): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** A server that says the same to everything. */
async function answering(own: Authority, status: number, body: string): Promise<number> {
  const server = createServer({ cert: own.certificate, key: own.key }, (_, answer) => {
    answer.writeHead(status, status < 400 ? { location: 'https://portal.example.com/login' } : {})
    answer.end(body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  servers.push(server)
  return portOf(server)
}

const ANSWERS: readonly (readonly [what: string, says: RegExp, status: number, body: string])[] = [
  ['a balancer without servers', /\(status 503\) has no API server behind it; does a balancer/, 503, '<html>'],
  [
    'a server that says what it lacks',
    /it answers "etcdserver: no\\nleader" \(status 500\)/,
    500,
    JSON.stringify({ kind: 'Status', message: 'etcdserver: no\nleader' }),
  ],
  ['one that asks for patience', /it answers "later" \(status 429\)/, 429, '{ "kind": "Status", "message": "later" }'],
  [
    'who leads elsewhere',
    /\(status 302\) leads to "https:\/\/portal\.example\.com\/login" and is not an API server/,
    302,
    '',
  ],
  ['cluster-info without a kubeconfig', /there is no kubeconfig in it/, 200, '{ "kind": "ConfigMap", "data": {} }'],
  ['who wants to know everybody', /it answers nobody that it does not know/, 401, '{}'],
  ['who does not let everybody read it', /it does not let everybody read it/, 403, '{}'],
]

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
          [signatureKey('\u001b[2J\nevil')]: 'x',
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
    [
      'a certificate from the future, and says how far off the clock is',
      /this machine's clock, which is 2d\w* behind the server's/,
      async () => {
        const date = new Date(Date.now() + 200_000_000)
        const own = await authority(date)
        const says = (at: number): Promise<object> => info(kubeconfig(`https://127.0.0.1:${at}`, own.ca))
        return ask(await listen(own, says, { date: date.toUTCString() }), own.ca)
      },
    ],
    ...ANSWERS.map(([what, says, status, body]): (typeof refusals)[number] => [
      what,
      says,
      async () => {
        const own = await authority()
        return ask(await answering(own, status, body), own.ca)
      },
    ]),
    [
      'several clusters without a context',
      /it has several clusters, and no context says which/,
      async () => {
        const own = await authority()
        const text = 'clusters: [{ name: a, cluster: { server: "https://a" } }, { name: b, cluster: {} }]'
        return ask(await listen(own, () => info(text)), own.ca)
      },
    ],
    [
      'a CA that is none',
      /cannot read the CA certificate/,
      async () => {
        const own = await authority()
        return ask(await listen(own, () => info(kubeconfig('https://127.0.0.1:1', 'x'))), own.ca)
      },
    ],
    [
      'a server without TLS',
      /its TLS is not that of an API server/,
      async () => {
        const server = createPlainServer((_, answer) => answer.end('x'))
        await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
        servers.push(server)
        return ask(portOf(server), (await authority()).ca)
      },
    ],
    [
      'an address with a zone',
      /it is no address; write it like "cp\.example\.com:6443", one of IPv6 in brackets and without a zone/,
      async () => ask(1, (await authority()).ca, { endpoint: '[fe80::1%eth0]:6443' }),
    ],
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

it('a server that is about to come up is waited for', async () => {
  const own = await authority()
  const lines: string[] = []
  const server: Server = createServer({ cert: own.certificate, key: own.key }, (_, answer) => {
    if (lines.length === 0) return answer.writeHead(503).end()
    void info(kubeconfig(`https://127.0.0.1:${portOf(server)}`, own.ca)).then(body => answer.end(JSON.stringify(body)))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  servers.push(server)
  await ask(portOf(server), own.ca, { patienceMs: 60_000, say: line => lines.push(line) })
  assert.match(lines.join(), /^\[discovery\] Waiting: .*status 503/)
})

const MINUTE = 60_000
for (const [role, aheadMs, verdict] of [
  ['worker', 4 * MINUTE, ''],
  ['worker', 6 * MINUTE, "warning: this machine's clock is 6m ahead of the cluster's: set it, or"],
  ['worker', -48 * 60 * MINUTE, "warning: this machine's clock is 2d behind the cluster's: set it, or"],
  ['control-plane', 30_000, ''],
  ['control-plane', -2 * MINUTE, 'new tokens of Pods from there are refused here'],
  ['control-plane', 2 * MINUTE, 'new tokens of Pods from here are refused there'],
  ['control-plane', 6 * MINUTE, 'fault: .* 6m ahead of .* no certificate from here would be valid there; set it'],
  ['control-plane', -6 * MINUTE, 'fault: .* 6m behind .* no new token of a Pod from there would be valid here; set it'],
] as const) {
  it(`the clock of a ${role} that is ${aheadMs / 1000} s ahead`, () => {
    const found = clockVerdict(role, new Date(MINUTE), MINUTE + aheadMs)
    assert.match(
      found === undefined ? '' : `${found.isFault ? 'fault' : 'warning'}: ${found.text}`,
      new RegExp(verdict || '^$'),
    )
  })
}

it('a clock that nobody tells, or not in words that mean a time, is none', () => {
  for (const date of [undefined, new Date('soon')]) assert.equal(clockVerdict('control-plane', date), undefined)
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
    await assert.rejects(
      readClusterInfo({ server: `https://127.0.0.1:${portOf(server)}`, believesAll: true, limitMs: 200 }),
      says,
    )
  }
})

/** A kubeconfig with a context, whose parts are YAML. */
function withUser(user: string, cluster: string): string {
  return `current-context: c\ncontexts: [{ name: c, context: { cluster: k, user: u } }]\nclusters: [{ name: k, cluster: ${cluster} }]\nusers: [{ name: u, user: ${user} }]\n`
}

function byFile(
  text: string | undefined,
  more: Partial<FileQuestion> = { bootstrapToken: TOKEN },
): ReturnType<typeof discoverByFile> {
  const read = (path: string): string | undefined => (path === '/f' ? text : undefined)
  return discoverByFile({ place: '/f', read, patienceMs: 0, say: () => {}, ...more })
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')

describe('discovery by file', () => {
  it('takes server, CA and credentials of the file', async () => {
    const own = await authority()
    const port = await listen(own, at => info(kubeconfig(`https://127.0.0.1:${at}`, own.ca)))
    const text = kubeconfig(`https://127.0.0.1:${port}/`, own.ca)
    const found = await byFile(text)
    assert.deepEqual([found.server, found.ca, found.identity], [`https://127.0.0.1:${port}`, own.ca, { token: TOKEN }])
    assert.deepEqual(found.notices, [])
    await assert.rejects(byFile(text, {}), /neither a token nor a client certificate/)
    await assert.rejects(byFile(undefined), /does not exist/)
    await assert.rejects(byFile('x'), /not a kubeconfig/)
    const ca = `certificate-authority-data: ${base64(own.ca)}`
    const server = `server: "https://127.0.0.1:${port}"`
    const { certificate, key } = own
    const user = `{ client-certificate-data: ${base64(certificate)}, client-key-data: ${base64(key)} }`
    assert.deepEqual((await byFile(withUser(user, `{ ${server}, ${ca} }`), {})).identity, { certificate, key })
    const withFile = {
      read: (path: string): string =>
        path === '/t' ? 'secret\n' : withUser('{ tokenFile: /t }', `{ ${server}, ${ca} }`),
    }
    assert.deepEqual((await byFile('', withFile)).identity, { token: 'secret' })
  })

  it('goes on where cluster-info is not for everybody, and not where no API server is', async () => {
    const own = await authority()
    const at = async (status: number, body = '{}'): Promise<string> =>
      kubeconfig(`https://127.0.0.1:${await answering(own, status, body)}`, own.ca)
    for (const [status, body] of [
      [403],
      [401],
      [404, '{ "kind": "Status" }'],
      [200, '{ "kind": "ConfigMap" }'],
    ] as const)
      assert.match((await byFile(await at(status, body))).notices.join(), /going on without it/)
    for (const status of [302, 404, 503]) await assert.rejects(byFile(await at(status)), new RegExp(`status ${status}`))
  })

  it('believes nobody without a CA, and says so where the file wants it', async () => {
    const own = await authority()
    const heard: (string | undefined)[] = []
    const server: Server = createServer({ cert: own.certificate, key: own.key }, ({ headers }, answer) => {
      heard.push(headers.authorization)
      void info(kubeconfig(`https://127.0.0.1:${portOf(server)}`, own.ca)).then(body =>
        answer.end(JSON.stringify(body)),
      )
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    servers.push(server)
    const place = `server: "https://127.0.0.1:${portOf(server)}"`
    await assert.rejects(byFile(withUser('{ token: a }', `{ ${place} }`), {}), /no CA that everybody trusts has signed/)
    const found = await byFile(withUser('{ token: a }', `{ ${place}, insecure-skip-tls-verify: true }`), {})
    assert.equal(found.ca, own.ca)
    assert.match(found.notices.join(), /whoever answers at .* is believed/)
    assert.deepEqual(heard, [undefined])
  })

  for (const [what, user, cluster, says] of [
    [
      'a CA that is not there',
      '{ token: a }',
      'certificate-authority: /no/ca.crt',
      /its certificate-authority "\/no\/ca\.crt" does not exist/,
    ],
    [
      'a CA that is none',
      '{ token: a }',
      `certificate-authority-data: ${base64('x')}`,
      /its certificate-authority is damaged/,
    ],
    ['a token that is not there', '{ tokenFile: /no }', '', /its tokenFile "\/no" does not exist/],
    [
      'a certificate that is not there',
      '{ client-certificate: /c, client-key: /k }',
      '',
      /its client-certificate "\/c" does not exist/,
    ],
    [
      'a certificate that is none',
      `{ client-certificate-data: ${base64('x')} }`,
      '',
      /its client-certificate is damaged/,
    ],
    ['another way to be known', '{ exec: { command: x } }', '', /neither a token nor a client certificate/],
  ] as const) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(byFile(withUser(user, `{ server: "https://127.0.0.1:1", ${cluster} }`), {}), says)
    })
  }

  it('takes no cluster that its context does not name, and one without a name first', async () => {
    const context = 'current-context: c\ncontexts: [{ name: c, context: { cluster: gone } }]\n'
    await assert.rejects(
      byFile(`${context}clusters: [{ name: k, cluster: { server: "https://a" } }]`),
      /not a kubeconfig/,
    )
    const unnamed = `${context}clusters: [{ name: gone, cluster: { server: "http://a" } }, { name: "", cluster: { server: "https://127.0.0.1:1" } }]`
    await assert.rejects(byFile(unnamed), /nothing listens there/)
  })

  it('keeps what may be secret of a URL to itself', async () => {
    const place = 'https://user:password@127.0.0.1:1/f?signature=secret'
    await assert.rejects(byFile('', { place }), (error: Error) => {
      assert.match(error.message, /^discovery: cannot fetch "https:\/\/127\.0\.0\.1:1\/f": .*connection refused/)
      assert.doesNotMatch(error.message, /password|secret/)
      return true
    })
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
