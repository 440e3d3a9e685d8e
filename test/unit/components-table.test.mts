import assert from 'node:assert/strict'
import { test } from 'node:test'
import { architecture } from '../../lib/base/platform.ts'
import { COMPONENTS, labelSources, sources } from '../../lib/supply/components/component-table.ts'
import { defaultCacheDir } from '../../lib/supply/fetch/cache-store.ts'
import { readChecksum } from '../../lib/supply/fetch/checksum.ts'
import { LIMITS } from '../../lib/supply/fetch/limits.ts'
import { NO_MIRRORS, readMirrors } from '../../lib/supply/fetch/mirrors.ts'
import { openQueue } from '../../lib/supply/fetch/queue.ts'
import { readReference, registryAddress } from '../../lib/supply/fetch/reference.ts'
import { imageFile } from '../../lib/supply/registry/fetch-images.ts'

const RELEASE = { version: 'v1.36.2', arch: 'amd64' }
const BUILD = { version: 'ci/v1.37.0-alpha.1.5+0123abc', arch: 'arm64' }
const CNI = 'containernetworking/plugins/releases/download/v1.9.1'

const SOURCES: readonly (readonly [
  name: string,
  wish: typeof RELEASE,
  mirrors: readonly string[],
  urls: readonly string[],
])[] = [
  [
    'kubelet',
    RELEASE,
    [],
    [
      'https://dl.k8s.io/release/v1.36.2/bin/linux/amd64/kubelet',
      'https://cdn.dl.k8s.io/release/v1.36.2/bin/linux/amd64/kubelet',
    ],
  ],
  [
    'kubectl',
    BUILD,
    [],
    [
      'https://dl.k8s.io/ci/v1.37.0-alpha.1.5%2B0123abc/bin/linux/arm64/kubectl',
      'https://storage.googleapis.com/k8s-release-dev/ci/v1.37.0-alpha.1.5%2B0123abc/bin/linux/arm64/kubectl',
    ],
  ],
  ['cni-plugins', RELEASE, [], [`https://github.com/${CNI}/cni-plugins-linux-amd64-v1.9.1.tgz`]],
  [
    'cni-plugins',
    { ...RELEASE, version: 'v1.18.0' },
    [],
    [`https://github.com/${CNI}/cni-plugins-linux-amd64-v1.9.1.tgz`],
  ],
  [
    'kubelet',
    RELEASE,
    ['http://a', 'https://b/c'],
    [
      'http://a/release/v1.36.2/bin/linux/amd64/kubelet',
      'http://a/dl.k8s.io/release/v1.36.2/bin/linux/amd64/kubelet',
      'https://b/c/release/v1.36.2/bin/linux/amd64/kubelet',
      'https://b/c/dl.k8s.io/release/v1.36.2/bin/linux/amd64/kubelet',
    ],
  ],
  [
    'kubelet',
    RELEASE,
    ['dl.k8s.io=http://a', 'registry.k8s.io=http://r'],
    ['http://a/release/v1.36.2/bin/linux/amd64/kubelet'],
  ],
  [
    'kubelet',
    RELEASE,
    ['registry.k8s.io=http://r'],
    [
      'https://dl.k8s.io/release/v1.36.2/bin/linux/amd64/kubelet',
      'https://cdn.dl.k8s.io/release/v1.36.2/bin/linux/amd64/kubelet',
    ],
  ],
  [
    'cni-plugins',
    BUILD,
    ['http://a'],
    [
      `http://a/${CNI}/cni-plugins-linux-arm64-v1.9.1.tgz`,
      `http://a/github.com/${CNI}/cni-plugins-linux-arm64-v1.9.1.tgz`,
    ],
  ],
]

for (const [name, wish, mirrors, urls] of SOURCES) {
  test(`sources() of ${name} ${wish.version}${mirrors.length > 0 ? ' on mirrors' : ''}`, () => {
    const component = COMPONENTS.find(row => row.name === name)
    assert.ok(component)
    assert.deepEqual(sources(component, wish, readMirrors(mirrors.join())), urls)
  })
}

test('sources() refuses a version that has no plugins', () => {
  const [cni] = COMPONENTS.filter(({ name }) => name === 'cni-plugins')
  assert.ok(cni)
  for (const version of ['v1.17.0', 'stable']) {
    assert.throws(() => sources(cni, { version, arch: 'amd64' }), /cannot choose CNI plugins for/)
  }
})

test('labelSources() knows releases, builds and mirrors', () => {
  assert.deepEqual(labelSources('release/stable-1.36.txt'), [
    'https://dl.k8s.io/release/stable-1.36.txt',
    'https://cdn.dl.k8s.io/release/stable-1.36.txt',
  ])
  assert.equal(labelSources('ci/latest.txt')[1], 'https://storage.googleapis.com/k8s-release-dev/ci/latest.txt')
  assert.deepEqual(labelSources('ci/latest.txt', readMirrors('http://a')), [
    'http://a/ci/latest.txt',
    'http://a/dl.k8s.io/ci/latest.txt',
  ])
})

test('readMirrors() takes one or several, for all hosts or for one', () => {
  assert.deepEqual(readMirrors(undefined), NO_MIRRORS)
  assert.deepEqual(readMirrors(''), NO_MIRRORS)
  assert.deepEqual(readMirrors(' https://a/k8s// , http://[::1]:80').files, ['https://a/k8s', 'http://[::1]:80'])
  const { files, hosts } = readMirrors('docker.io=https://a/x,http://b?c=d,docker.io=http://c,localhost:5000=http://d')
  assert.deepEqual(files, ['http://b?c=d'])
  assert.deepEqual(
    [...hosts],
    [
      ['docker.io', ['https://a/x', 'http://c']],
      ['localhost:5000', ['http://d']],
    ],
  )
})

for (const text of ['/srv', 'b.example', 'docker.io=mirror.example', '=https://a', 'docker.io=', 'https://']) {
  test(`readMirrors() refuses ${text} and names it`, () => {
    assert.throws(
      () => readMirrors(`https://good,${text}`),
      error => {
        assert.match(
          (error as Error).message,
          /^components: cannot use mirror "[^"]+": it is not an http or https address/,
        )
        assert.ok((error as Error).message.includes(JSON.stringify(text)))
        assert.equal((error as Error).message.split('\n').length, 1)
        return true
      },
    )
  })
}

const CHECKSUM = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const CHECKSUMS: readonly (readonly [text: string, checksum: string | undefined])[] = [
  [CHECKSUM, CHECKSUM],
  [`${CHECKSUM}\n`, CHECKSUM],
  [` ${CHECKSUM.toUpperCase()}  cni-plugins.tgz\n`, CHECKSUM],
  [`${CHECKSUM} *kubelet`, CHECKSUM],
  [`${CHECKSUM}0`, undefined],
  [CHECKSUM.slice(1), undefined],
  ['', undefined],
  ['<html></html>', undefined],
]

for (const [text, checksum] of CHECKSUMS) {
  test(`readChecksum() of ${JSON.stringify(text.slice(0, 12))} (${text.length})`, () => {
    assert.equal(readChecksum(text), checksum)
  })
}

const DIGEST = `sha256:${CHECKSUM}`
const REFERENCES: readonly (readonly [text: string, name: string, registry: string])[] = [
  ['registry.k8s.io/pause:3.10.2', 'registry.k8s.io/pause:3.10.2', 'https://registry.k8s.io'],
  ['registry.k8s.io/coredns/coredns:v1.14.2', 'registry.k8s.io/coredns/coredns:v1.14.2', 'https://registry.k8s.io'],
  ['busybox', 'docker.io/library/busybox:latest', 'https://registry-1.docker.io'],
  ['busybox:1.35', 'docker.io/library/busybox:1.35', 'https://registry-1.docker.io'],
  ['me/tool:1', 'docker.io/me/tool:1', 'https://registry-1.docker.io'],
  ['docker.io/busybox:1', 'docker.io/library/busybox:1', 'https://registry-1.docker.io'],
  ['localhost/a', 'localhost/a:latest', 'http://localhost'],
  ['127.0.0.1:5000/a/b_c:1', '127.0.0.1:5000/a/b_c:1', 'http://127.0.0.1:5000'],
  ['[::1]:5000/a:1', '[::1]:5000/a:1', 'http://[::1]:5000'],
  ['example.org:5000/a', 'example.org:5000/a:latest', 'https://example.org:5000'],
  [`a.example/b@${DIGEST}`, `a.example/b@${DIGEST}`, 'https://a.example'],
  [`a.example/b:1@${DIGEST}`, `a.example/b:1@${DIGEST}`, 'https://a.example'],
]

for (const [text, name, registry] of REFERENCES) {
  test(`readReference() of ${text.slice(0, 40)}`, () => {
    const reference = readReference(text)
    assert.equal(reference.name, name)
    assert.equal(registryAddress(reference), registry)
  })
}

for (const text of ['', 'A/b', 'a.example/', 'a.example/b:', 'a.example/../b', 'a.example/b@sha256:1', 'a b']) {
  test(`readReference() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(
      () => readReference(text),
      /^KubestepError: images: cannot use image ".*": it is not an image name; write it like /,
    )
  })
}

test('imageFile() lies below the cache and tells tags, hosts and machines apart', () => {
  const names = [
    'a.example/b:1',
    'a.example/b:2',
    'a.example:80/b:1',
    `a.example/b@${DIGEST}`,
    `a.example/b:1@${DIGEST}`,
  ]
  const files = names.flatMap(name => ['amd64', 'arm64'].map(arch => imageFile('/cache', readReference(name), arch)))
  assert.equal(files[0], '/cache/images/amd64/a.example/b/1.tar')
  assert.equal(new Set(files).size, 10)
  for (const file of files) assert.match(file, /^\/cache\/images\/[^:]+\.tar$/)
})

test('architecture() is Go’s name, and refuses machines without Kubernetes', () => {
  assert.equal(architecture('x64'), 'amd64')
  assert.equal(architecture('arm64'), 'arm64')
  assert.throws(
    () => architecture('mips'),
    /cannot run on architecture "mips": Kubernetes is published for amd64, arm64/,
  )
})

test('defaultCacheDir() is the system’s for root and the user’s for others', () => {
  assert.equal(defaultCacheDir({ HOME: '/root' }, true), '/var/cache/kubestep')
  assert.equal(defaultCacheDir({ HOME: '/home/me' }, false), '/home/me/.cache/kubestep')
  assert.equal(defaultCacheDir({ HOME: '/home/me', XDG_CACHE_HOME: '/c' }, false), '/c/kubestep')
  assert.equal(defaultCacheDir({}, false), '/tmp/kubestep')
})

test('LIMITS leave time to say within ten seconds that nothing can be reached', () => {
  assert.ok(LIMITS.reachMs <= 8000)
})

test('openQueue() runs so many at once, in order, also when some fail', async () => {
  const queue = openQueue(2)
  const log: string[] = []
  let running = 0
  const work = (name: string) => async (): Promise<string> => {
    running++
    assert.ok(running <= 2)
    log.push(name)
    await new Promise(resolve => setTimeout(resolve, 1))
    running--
    if (name === 'b') throw new Error('b')
    return name
  }
  const outcomes = await Promise.allSettled(['a', 'b', 'c', 'd', 'e'].map(name => queue(work(name))))
  assert.deepEqual(log, ['a', 'b', 'c', 'd', 'e'])
  assert.deepEqual(outcomes.map(({ status }) => status).join(), 'fulfilled,rejected,fulfilled,fulfilled,fulfilled')
})
