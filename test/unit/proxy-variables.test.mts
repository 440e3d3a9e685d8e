import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fetchProxyFor, proxyAddress, proxyFor } from '../../lib/base/proxy-variables.ts'

interface Said {
  readonly destinations: readonly string[]
  readonly rows: readonly { readonly noProxy: string; readonly direct: readonly string[] }[]
  readonly proxies: Readonly<Record<string, string>>
}

const GO = JSON.parse(readFileSync(new URL('../data/proxy/go.json', import.meta.url), 'utf8')) as Said

describe('NO_PROXY is read as Go reads it', () => {
  for (const { noProxy, direct } of GO.rows) {
    test(JSON.stringify(noProxy), () => {
      const variables = { https_proxy: 'http://proxy.example:3128', NO_PROXY: noProxy }
      const ours = GO.destinations.filter(url => fetchProxyFor(new URL(url), variables).kind === 'direct')
      assert.deepEqual(ours, direct)
    })
  }
})

describe('a proxy is read as Go reads it', () => {
  for (const [value, said] of Object.entries(GO.proxies)) {
    test(value, () => {
      const choice = proxyFor({ scheme: 'https', host: 'x.example', port: '443' }, { HTTPS_PROXY: value })
      if (value.startsWith('socks')) {
        assert.match(JSON.stringify(choice), /"fault".*SOCKS/)
        return
      }
      assert.ok(choice.kind === 'proxy')
      const { protocol, host, username, password } = choice.url
      const read = `${protocol.slice(0, -1)} ${host} ${username}:${decodeURIComponent(password)}`
      assert.equal(read, said)
    })
  }

  const faults: readonly string[] = [
    'ftp://proxy:21',
    'https://',
    'http:///x',
    'proxy:port',
    'a b',
    'http://u:100%@p:1',
  ]
  for (const value of faults) {
    test(`${value} is none, and is not shown`, () => {
      const choice = proxyFor({ scheme: 'https', host: 'x.example', port: '443' }, { HTTPS_PROXY: value })
      assert.ok(choice.kind === 'fault')
      assert.equal(choice.variable, 'HTTPS_PROXY')
      assert.ok(!choice.reason.includes(value))
    })
  }
})

test('capitals win, an empty variable is none, and each scheme has its own', () => {
  const variables = { HTTPS_PROXY: '', https_proxy: 'low:1', http_proxy: 'plain:2', HTTP_PROXY: 'PLAIN:3' }
  const address = (url: string): string => {
    const choice = fetchProxyFor(new URL(url), variables)
    return choice.kind === 'proxy' ? proxyAddress(choice.url) : choice.kind
  }
  assert.equal(address('https://x.example/'), 'low:1')
  assert.equal(address('http://x.example/'), 'plain:3')
})

test('ALL_PROXY counts for what is fetched alone, as with curl', () => {
  const variables = { ALL_PROXY: 'all.example' }
  const fetched = fetchProxyFor(new URL('https://x.example/'), variables)
  assert.equal(fetched.kind === 'proxy' && proxyAddress(fetched.url), 'all.example:80')
  assert.equal(proxyFor({ scheme: 'https', host: 'x.example', port: '443' }, variables).kind, 'direct')
})
