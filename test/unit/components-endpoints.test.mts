import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { readMirrors } from '../../lib/supply/fetch/mirrors.ts'
import { readReference } from '../../lib/supply/fetch/reference.ts'
import { type Endpoint, endpointsOf } from '../../lib/supply/registry/registry-endpoints.ts'
import { placesOf, registryFiles, registryPath } from '../../lib/supply/runtime/registry-folder.ts'

/** Endpoints of an image when containerd's folder has these files. */
async function endpoints(
  image: string,
  { mirror, files = {} }: { readonly mirror?: string; readonly files?: Readonly<Record<string, string>> },
): Promise<readonly Endpoint[]> {
  const folder = mkdtempSync(join(tmpdir(), 'kubestep endpoints '))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  try {
    return await endpointsOf(readReference(image), readMirrors(mirror), folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const PAUSE = 'registry.k8s.io/pause:3.10.2'
const MIRROR_FILE = `
server = "https://registry.k8s.io"
[host."https://mirror.example/k8s"]
  capabilities = ["pull", "resolve"]
  [host."https://mirror.example/k8s".header]
    X-Token = ["one", "two"]
[host."http://10.0.0.1:5000/v2/all"]
  override_path = true
[host."push.example"]
  capabilities = ["push"]
[host."blobs.example/v2"]
  capabilities = ["pull"]
`

describe('endpointsOf()', () => {
  const rows: readonly (readonly [
    what: string,
    image: string,
    options: Parameters<typeof endpoints>[1],
    bases: string,
  ])[] = [
    ['a registry', PAUSE, {}, 'https://registry.k8s.io/v2'],
    ['Docker Hub', 'busybox', {}, 'https://registry-1.docker.io/v2'],
    ['this machine', '127.0.0.1:5000/a:1', {}, 'http://127.0.0.1:5000/v2'],
    ['a mirror', PAUSE, { mirror: 'registry.k8s.io=https://m.example' }, 'https://m.example/v2'],
    ['a mirror with a folder', PAUSE, { mirror: 'registry.k8s.io=https://m.example/k8s/' }, 'https://m.example/v2/k8s'],
    [
      'a mirror with the whole path',
      PAUSE,
      { mirror: 'registry.k8s.io=https://m.example/v2/k8s' },
      'https://m.example/v2/k8s',
    ],
    [
      'two mirrors',
      PAUSE,
      { mirror: 'registry.k8s.io=https://a,registry.k8s.io=http://b' },
      'https://a/v2 http://b/v2',
    ],
    [
      "another registry's mirror",
      PAUSE,
      { mirror: 'docker.io=https://m.example,https://files.example' },
      'https://registry.k8s.io/v2',
    ],
    [
      'hosts.toml',
      PAUSE,
      { files: { 'registry.k8s.io/hosts.toml': MIRROR_FILE } },
      'https://mirror.example/k8s/v2 http://10.0.0.1:5000/v2/all https://blobs.example/v2 https://registry.k8s.io/v2',
    ],
    [
      'a mirror before hosts.toml',
      PAUSE,
      { mirror: 'registry.k8s.io=https://m.example', files: { 'registry.k8s.io/hosts.toml': MIRROR_FILE } },
      'https://m.example/v2',
    ],
    [
      'hosts.toml for all',
      PAUSE,
      { files: { '_default/hosts.toml': '[host."https://all.example"]' } },
      'https://all.example/v2 https://registry.k8s.io/v2',
    ],
    [
      'hosts.toml of a port',
      'a.example:5000/b:1',
      { files: { 'a.example_5000_/hosts.toml': 'server = "http://c.example"' } },
      'http://c.example/v2',
    ],
    ['an empty hosts.toml', PAUSE, { files: { 'registry.k8s.io/hosts.toml': '' } }, 'https://registry.k8s.io/v2'],
  ]
  for (const [what, image, options, bases] of rows) {
    test(`of ${what}`, async () => {
      assert.equal((await endpoints(image, options)).map(({ base }) => base).join(' '), bases)
    })
  }

  test('has the headers of hosts.toml, and asks for tags where that is allowed', async () => {
    const found = await endpoints(PAUSE, { files: { 'registry.k8s.io/hosts.toml': MIRROR_FILE } })
    assert.deepEqual(
      found.map(({ resolves }) => resolves),
      [true, true, false, true],
    )
    assert.deepEqual(found[0]?.headers, { 'x-token': 'one, two' })
    assert.deepEqual(found[1]?.headers, {})
  })

  test('has authorities and clients of hosts.toml, beside it or anywhere', async () => {
    const text = `ca = "ca.crt"\nskip_verify = true\n[host."https://m.example"]\nca = ["ca.crt", "two.crt"]\nclient = [["c.crt", "c.key"]]\n`
    const files = { 'hosts.toml': text, 'ca.crt': 'CA', 'two.crt': 'TWO', 'c.crt': 'CERT', 'c.key': 'KEY' }
    const found = await endpoints(PAUSE, {
      files: Object.fromEntries(Object.entries(files).map(([name, content]) => [`registry.k8s.io/${name}`, content])),
    })
    assert.deepEqual(
      found.map(({ tls }) => tls),
      [
        { ca: ['CA', 'TWO'], cert: 'CERT', key: 'KEY' },
        { ca: ['CA'], rejectUnauthorized: false },
      ],
    )
  })

  for (const [what, text] of [
    ['that is none', '[host'],
    ['with a file that is missing', 'ca = "gone.crt"'],
    ['with an address that is none', '[host."https://"]'],
  ] as const) {
    test(`refuses a hosts.toml ${what}, and names it`, async () => {
      await assert.rejects(
        endpoints(PAUSE, { files: { 'registry.k8s.io/hosts.toml': text } }),
        /^KubestepError: images: cannot use ".*registry\.k8s\.io\/hosts\.toml": .*; correct it, or name a --mirror$/s,
      )
    })
  }
})

for (const [registry, address, places] of [
  ['localhost:5000', '10.0.0.5', ['http://localhost:5000/v2', 'http://10.0.0.5:5000/v2']],
  ['[::1]:5000', 'fd00::5', ['http://[::1]:5000/v2', 'http://[fd00::5]:5000/v2']],
  ['registry.test:80', '10.0.0.5', ['http://registry.test:80/v2']],
] as const) {
  test(`placesOf() leads to "${registry}", without TLS`, () => {
    const [file] = registryFiles(readMirrors(placesOf(registry, address)), '/certs.d')
    assert.equal(file?.path, `/certs.d/${registry}/hosts.toml`)
    const hosts = [...String(file?.content).matchAll(/^\[host\."(.*)"\]$/gm)].map(([, url]) => url)
    assert.deepEqual(
      hosts,
      places.map(place => place.replace(':80/', '/')),
    )
  })
}

test('registryFiles() lead containerd, and us, to the same places as --mirror', async () => {
  const mirror =
    'registry.k8s.io=https://m.example/k8s,registry.k8s.io=http://10.0.0.1:5000,docker.io=https://hub.example'
  const files = registryFiles(readMirrors(`https://files.example,dl.k8s.io=https://dl.example,${mirror}`), '/certs.d')
  assert.deepEqual(
    files.map(({ path }) => path),
    ['/certs.d/registry.k8s.io/hosts.toml', '/certs.d/docker.io/hosts.toml'],
  )
  const folder = Object.fromEntries(files.map(({ path, content }) => [path.replace('/certs.d/', ''), String(content)]))
  for (const [image, origin] of [
    [PAUSE, 'https://registry.k8s.io/v2'],
    ['busybox', 'https://registry-1.docker.io/v2'],
  ] as const) {
    const named = await endpoints(image, { mirror })
    const read = await endpoints(image, { files: folder })
    assert.deepEqual(
      read.map(({ base }) => base),
      [...named.map(({ base }) => base), origin],
    )
  }
  assert.equal(registryPath(files, '/certs.d'), '/certs.d:/etc/containerd/certs.d')
  assert.equal(registryPath([], '/certs.d'), '/etc/containerd/certs.d')
})
