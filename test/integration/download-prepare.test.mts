import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type Preparation, prepareComponents } from '../../lib/supply/components/fetch-components.ts'
import { lookUpVersion } from '../../lib/supply/components/version-labels.ts'
import type { Progress } from '../../lib/supply/fetch/fetch-progress.ts'
import type { Limits } from '../../lib/supply/fetch/limits.ts'
import { tarEnd, tarHeader, tarPadding } from '../../lib/supply/fetch/tar.ts'
import { instead, openSite, type Site, silence, status, withChecksum } from './download-server.mts'

const QUICK: Partial<Limits> = { pauseMs: 1, longestPauseMs: 4, answerMs: 2000, reachMs: 4000 }
const BINARIES = '/release/v1.36.2/bin/linux/amd64'
const PLUGINS = '/containernetworking/plugins/releases/download/v1.9.1/cni-plugins-linux-amd64-v1.9.1.tgz'

const KUBELET = randomBytes(200_000)
const KUBECTL = randomBytes(100_000)
const BRIDGE = randomBytes(50_000)

function tgz(files: Readonly<Record<string, Buffer>>): Buffer {
  const entries = Object.entries(files).flatMap(([name, content]) => [
    tarHeader(name, content.length, 0o755),
    content,
    tarPadding(content.length),
  ])
  return gzipSync(Buffer.concat([...entries, tarEnd()]))
}

const CONTENTS = new Map([
  ...withChecksum(`${BINARIES}/kubelet`, KUBELET),
  ...withChecksum(`${BINARIES}/kubectl`, KUBECTL),
  ...withChecksum(
    PLUGINS,
    tgz({ './bridge': BRIDGE, './host-local': Buffer.from('x'), 'deep/down': Buffer.from('y') }),
  ),
])

function temporary(): string {
  return mkdtempSync(join(tmpdir(), 'kubestep prepare '))
}

/** What prepareComponents() gives, or the message of its error. */
async function prepare(more: Partial<Preparation> & { cacheDir: string }): Promise<{
  readonly components?: Awaited<ReturnType<typeof prepareComponents>>
  readonly message: string
  readonly progress: readonly Progress[]
}> {
  const progress: Progress[] = []
  const deadline = new AbortController().signal
  // What is served here is not what the lock that comes along says.
  const base = { version: 'v1.36.2', arch: 'amd64', deadline, limits: QUICK, lock: '/dev/null' }
  try {
    const onProgress = (event: Progress): void => void progress.push(event)
    return { components: await prepareComponents({ ...base, onProgress, ...more }), message: '', progress }
  } catch (error) {
    return { message: (error as Error).message, progress }
  }
}

async function closed(site: Site): Promise<string> {
  await site.close()
  return site.url
}

test('prepareComponents() fetches from a mirror, and a second run needs no network', async () => {
  const cacheDir = temporary()
  const site = await openSite(CONTENTS)
  const first = await prepare({ cacheDir, mirror: `${site.url}/` })
  assert.equal(first.message, '')
  const { kubelet = '', kubectl = '', cniBinDir = '', imageArchives } = first.components ?? {}
  assert.ok(readFileSync(kubelet).equals(KUBELET))
  assert.ok(readFileSync(kubectl).equals(KUBECTL))
  assert.ok(readFileSync(join(cniBinDir, 'bridge')).equals(BRIDGE))
  assert.deepEqual(readdirSync(cniBinDir).sort(), ['bridge', 'host-local'])
  for (const path of [kubelet, kubectl, join(cniBinDir, 'bridge')]) assert.equal(statSync(path).mode & 0o777, 0o755)
  assert.deepEqual(imageArchives, [])
  const signatures = ['kubelet', 'kubectl'].map(name => `${BINARIES}/${name}.sig`)
  assert.deepEqual([...site.requests].sort(), [...CONTENTS.keys(), ...signatures].sort())
  // What is not locked is asked for again, but for the little that says what it has to be.
  const before = site.requests.length
  const again = await prepare({ cacheDir, mirror: site.url })
  assert.deepEqual(again.components, first.components)
  const asked = site.requests.slice(before).filter(path => !path.endsWith('.sig'))
  assert.deepEqual(asked.sort(), [...CONTENTS.keys()].filter(path => path.endsWith('.sha256')).sort())
  for (const offline of [false, true]) {
    const second = await prepare({ cacheDir, offline, mirror: offline ? site.url : await closed(site) })
    assert.deepEqual(second.components, first.components)
    const kinds = second.progress.map(({ kind }) => kind)
    assert.equal(kinds.filter(kind => kind === 'cached').length, 3)
    // That nobody could be asked is said.
    assert.equal(kinds.filter(kind => kind === 'notice').length, offline ? 0 : 3)
  }
  rmSync(cacheDir, { recursive: true })
})

test('prepareComponents() takes a mirror that has the hosts as folders', async () => {
  const cacheDir = temporary()
  const site = await openSite(
    new Map(
      [...CONTENTS].map(([path, content]) => [
        `/k8s/${path.startsWith('/release') ? 'dl.k8s.io' : 'github.com'}${path}`,
        content,
      ]),
    ),
  )
  const { message, components } = await prepare({ cacheDir, mirror: `http://127.0.0.1:1,${site.url}/k8s` })
  assert.equal(message, '')
  assert.ok(readFileSync(components?.kubelet ?? '').equals(KUBELET))
  await site.close()
  rmSync(cacheDir, { recursive: true })
})

test('prepareComponents() fetches again what is damaged in the cache, and nothing else', async () => {
  const cacheDir = temporary()
  const site = await openSite(CONTENTS)
  const { components } = await prepare({ cacheDir, mirror: site.url })
  const bin = components?.cniBinDir ?? ''
  const tgz = join(bin, '../cni-plugins.tgz')
  const damage: readonly (readonly [what: string, path: string, content: Buffer | undefined, fetched: boolean])[] = [
    ['kubelet', components?.kubelet ?? '', randomBytes(200_000), true],
    ['kubelet', components?.kubelet ?? '', Buffer.alloc(0), true],
    ['kubelet', components?.kubelet ?? '', undefined, true],
    ['kubelet', `${components?.kubelet}.sha256`, Buffer.from('nonsense'), false],
    ['kubectl', components?.kubectl ?? '', KUBECTL.subarray(0, -1), true],
    ['cni-plugins', tgz, randomBytes(50_000), true],
    ['cni-plugins', tgz, undefined, true],
    // The archive is still the right one.
    ['cni-plugins', join(bin, 'bridge'), randomBytes(50_000), false],
    ['cni-plugins', join(bin, 'host-local'), undefined, false],
    ['cni-plugins', join(bin, 'stranger'), Buffer.from('x'), false],
  ]
  for (const [what, path, content, fetched] of damage) {
    if (content === undefined) rmSync(path)
    else writeFileSync(path, content)
    const asked = (): readonly string[] => site.requests.filter(path => !/\.(sig|sha256)$/.test(path))
    const before = asked().length
    const again = await prepare({ cacheDir, mirror: site.url })
    assert.deepEqual(again.components, components)
    assert.ok(readFileSync(components?.kubelet ?? '').equals(KUBELET))
    assert.ok(readFileSync(join(components?.cniBinDir ?? '', 'bridge')).equals(BRIDGE))
    assert.equal(existsSync(join(components?.cniBinDir ?? '', 'stranger')), false)
    assert.equal(asked().length, before + (fetched ? 1 : 0), `${what}: ${path}`)
    assert.ok(
      asked()
        .slice(before)
        .every(request => request.includes(what)),
    )
  }
  writeFileSync(components?.kubelet ?? '', 'damaged')
  const offline = await prepare({ cacheDir, mirror: await closed(site) })
  assert.match(offline.message, /^components: cannot fetch kubelet v1\.36\.2: no host can be reached/)
  rmSync(cacheDir, { recursive: true })
})

test('prepareComponents() says which hosts cannot be reached, and names the ways out', async () => {
  const cacheDir = temporary()
  const { message } = await prepare({ cacheDir, mirror: 'http://127.0.0.1:1,http://[::1]:1' })
  assert.match(message, /no host can be reached; tried\n/)
  assert.match(message, /kubelet v1\.36\.2, .*kubectl v1\.36\.2, .*cni-plugins v1\.9\.1/)
  assert.match(message, / {2}127\.0\.0\.1:1: connection refused/)
  assert.match(message, / {2}\[::1\]:1: /)
  for (const way of ['--mirror URL', '--artifacts DIR', '--image-repository', 'bundle.mts', 'HTTPS_PROXY']) {
    assert.ok(message.includes(way), way)
  }
  rmSync(cacheDir, { recursive: true })
})

test('prepareComponents() gives up early on hosts that never answer', async () => {
  const cacheDir = temporary()
  const mute = createServer(socket => socket.on('error', () => {}))
  await new Promise<void>(resolve => mute.listen(0, '127.0.0.1', resolve))
  const { port } = mute.address() as { port: number }
  const limits = { ...QUICK, answerMs: 60_000, reachMs: 300 }
  const { message } = await prepare({ cacheDir, mirror: `http://127.0.0.1:${port}`, limits })
  assert.match(
    message,
    /no host can be reached \(no answer from anywhere in 0\.3 s\); tried\n {2}127\.0\.0\.1:\d+: no answer\n/,
  )
  assert.match(message, /--artifacts/)
  mute.close()
  rmSync(cacheDir, { recursive: true })
})

test('prepareComponents() tells of all faults at once', async () => {
  const cacheDir = temporary()
  const site = await openSite(CONTENTS)
  site.fail(`${BINARIES}/kubelet.sha256`, status(404))
  site.fail(`${BINARIES}/kubectl`, ...Array(9).fill(instead('nonsense')))
  const { message } = await prepare({ cacheDir, mirror: site.url })
  assert.match(
    message,
    /cannot fetch kubelet v1\.36\.2: .*status 404 .*kubelet\.sha256; check that this version exists/,
  )
  assert.match(message, /cannot fetch kubectl v1\.36\.2: .*SHA-256 is/)
  assert.equal(message.split('\n').length, 2)
  await site.close()
  rmSync(cacheDir, { recursive: true })
})

test('prepareComponents() refuses an archive of plugins that is none, and keeps none of it', async () => {
  for (const content of [
    Buffer.from('no archive'),
    gzipSync('no archive'),
    gzipSync(''),
    tgz({}),
    tgz({ 'a/b': KUBECTL }),
  ]) {
    const cacheDir = temporary()
    const site = await openSite(new Map([...CONTENTS, ...withChecksum(PLUGINS, content)]))
    const { message } = await prepare({ cacheDir, mirror: site.url, besides: ['cni-plugins'] })
    assert.match(message, /^archive: cannot (?:read|unpack|use) ".*cni-plugins\.tgz": /)
    assert.equal(existsSync(join(cacheDir, 'cni-plugins/v1.9.1/amd64/bin')), false)
    await site.close()
    rmSync(cacheDir, { recursive: true })
  }
})

test('prepareComponents() takes a build of the CI from where those lie', async () => {
  const cacheDir = temporary()
  const path = '/ci/v1.37.0-alpha.1.5%2B0123abc/bin/linux/arm64/kubelet'
  const site = await openSite(new Map(withChecksum(path, KUBELET)))
  const version = 'ci/v1.37.0-alpha.1.5+0123abc'
  const { components, message } = await prepare({ cacheDir, mirror: site.url, version, arch: 'arm64', besides: [] })
  assert.equal(message, '')
  assert.deepEqual(components, {
    kubelet: join(cacheDir, 'kubelet', version, 'arm64', 'kubelet'),
    imageArchives: [],
  })
  await site.close()
  rmSync(cacheDir, { recursive: true })
})

test('prepareComponents() refuses a mirror that is not an address', async () => {
  const { message } = await prepare({ cacheDir: '/nonexistent', mirror: '/srv/mirror,ftp://a' })
  assert.match(message, /cannot use mirror "\/srv\/mirror": .*--artifacts for a folder\n.*"ftp:\/\/a"/)
})

test('lookUpVersion() asks for labels, remembers them, and says so when it has to', async () => {
  const cacheDir = temporary()
  const site = await openSite(
    new Map([
      ['/release/stable-1.36.txt', Buffer.from('v1.36.5\n')],
      ['/release/stable.txt', Buffer.from('v1.36.5')],
      ['/ci/latest.txt', Buffer.from('v1.37.0-alpha.1.5+0123abc')],
    ]),
  )
  site.fail('/release/stable-1.36.txt', status(503), instead('<html>'))
  const look = (name: string, mirror = site.url): Promise<string> => {
    const deadline = new AbortController().signal
    return lookUpVersion(name, { mirror, cacheDir, deadline, limits: QUICK, onProgress: event => told.push(event) })
  }
  const told: Progress[] = []
  assert.equal(await look('1.36'), 'v1.36.5')
  assert.equal(await look('stable'), 'v1.36.5')
  assert.equal(await look('ci/latest'), 'ci/v1.37.0-alpha.1.5+0123abc')
  await assert.rejects(look('1.99'), /the version that release\/stable-1\.99\.txt names: .*status 404.*check that/)
  await site.close()
  assert.equal(await look('1.36'), 'v1.36.5')
  assert.deepEqual(told, [
    { kind: 'notice', text: 'release/stable-1.36.txt cannot be looked up; taking v1.36.5, as it was when last seen' },
  ])
  await assert.rejects(look('latest'), /no host can be reached.*\n.*connection refused/)
  assert.equal(await look('v1.35.1'), 'v1.35.1')
  rmSync(cacheDir, { recursive: true })
})

test('lookUpVersion() stops when a host is silent', async () => {
  const cacheDir = temporary()
  const site = await openSite(new Map(), silence)
  const limits = { ...QUICK, answerMs: 60_000, reachMs: 200 }
  const deadline = new AbortController().signal
  const looking = lookUpVersion('stable', { mirror: site.url, cacheDir, deadline, limits })
  await assert.rejects(looking, /cannot fetch the version that release\/stable\.txt names: no host can be reached/)
  await site.close()
  rmSync(cacheDir, { recursive: true })
})

test('prepareComponents() says where the cache cannot be, and which option names another place', async () => {
  const folder = temporary()
  writeFileSync(join(folder, 'file'), '')
  const site = await openSite(CONTENTS)
  const { message } = await prepare({ cacheDir: join(folder, 'file'), mirror: site.url, besides: [] })
  assert.match(
    message,
    /^components: cannot write ".*": a part of the path is not a folder; .*; --cache-dir names another place$/,
  )
  await site.close()
  rmSync(folder, { recursive: true })
})

test('prepareComponents() clears what killed processes left', async () => {
  const cacheDir = temporary()
  const folder = join(cacheDir, 'cni-plugins/v1.9.1/amd64')
  mkdirSync(join(folder, 'bin.999999999.tmp'), { recursive: true })
  writeFileSync(join(folder, 'bin.999999999.tmp/bridge'), 'half')
  writeFileSync(join(folder, 'cni-plugins.tgz.0123456789ab.999999999.part'), 'half')
  const site = await openSite(CONTENTS)
  const { message } = await prepare({ cacheDir, mirror: site.url })
  assert.equal(message, '')
  assert.deepEqual(readdirSync(folder).sort(), ['bin', 'cni-plugins.tgz', 'cni-plugins.tgz.sha256'])
  await site.close()
  rmSync(cacheDir, { recursive: true })
})
