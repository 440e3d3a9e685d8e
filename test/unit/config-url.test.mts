import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseUrl } from '../../lib/base/go/url-parts.ts'
import { splitHostPort } from '../../lib/kubeadm/config/api-endpoint.ts'
import { isImageRepository } from '../../lib/kubeadm/config/image-reference.ts'

// What Go's net/url makes of each: the scheme and the path, or an error.
const URLS: readonly (readonly [text: string, scheme: string | undefined, path?: string])[] = [
  ['unix:///run/x.sock', 'unix', '/run/x.sock'],
  ['UNIX:///run/x.sock', 'unix', '/run/x.sock'],
  ['unix:/run/x.sock', 'unix', '/run/x.sock'],
  ['unix://http://x', 'unix', '//x'],
  ['unixfoo', '', 'unixfoo'],
  ['https://a:2379', 'https', ''],
  ['https://[fd00::1]:2379/x%20y', 'https', '/x y'],
  ['https://u:p@a:2379', 'https', ''],
  ['file:///etc/hosts', 'file', '/etc/hosts'],
  ['localhost:2379', 'localhost', ''],
  ['//a:2379', '', ''],
  ['', '', ''],
  ['10.0.0.1:2379', undefined],
  [':2379', undefined],
  ['https://a:b', undefined],
  ['https://a b:1', undefined],
  ['https://fd00::1:2379', undefined],
  ['https://[fd00::1', undefined],
  ['unix:///run/%zz', undefined],
  ['unix:///run/\u0001', undefined],
]

for (const [text, scheme, path] of URLS) {
  test(`parseUrl() ${scheme === undefined ? 'refuses' : 'reads'} ${JSON.stringify(text)}`, () => {
    const url = parseUrl(text)
    if (scheme === undefined) assert.ok('reason' in url)
    else assert.deepEqual(url, { scheme, path })
  })
}

const ENDPOINTS: readonly (readonly [text: string, host: string | undefined, port?: string])[] = [
  ['cp.example.com:6443', 'cp.example.com', '6443'],
  ['[fd00::1]:6443', 'fd00::1', '6443'],
  [':6443', '', '6443'],
  ['cp.example.com:', 'cp.example.com', ''],
  ['cp.example.com', undefined],
  ['fd00::1', undefined],
  ['[fd00::1]', undefined],
  ['[fd00::1', undefined],
  ['[fd00::1]x:1', undefined],
  ['a]:1', undefined],
]

for (const [text, host, port] of ENDPOINTS) {
  test(`splitHostPort() ${host === undefined ? 'refuses' : 'splits'} "${text}"`, () => {
    const parts = splitHostPort(text)
    if (host === undefined) assert.ok('reason' in parts)
    else assert.deepEqual(parts, { host, port })
  })
}

const REPOSITORIES: readonly (readonly [text: string, valid: boolean])[] = [
  ['registry.k8s.io', true],
  ['localhost:5000', true],
  ['localhost:5000/k8s', true],
  ['REG.example.com/k8s', true],
  ['[fd00::1]:5000/k8s', true],
  ['example.com/a__b-c.d', true],
  ['example.com/a___b', false],
  ['example.com/A', false],
  ['https://example.com', false],
  ['example.com/', false],
  ['/example.com', false],
  ['example.com/a:b', false],
  ['a b', false],
  ['', false],
]

for (const [text, valid] of REPOSITORIES) {
  test(`isImageRepository() ${valid ? 'takes' : 'refuses'} "${text}"`, () =>
    assert.equal(isImageRepository(text), valid))
}
