/** Registries that want to know who asks, that speak TLS of their own, and that have mirrors. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Progress } from '../../lib/supply/fetch/fetch-progress.ts'
import type { Limits } from '../../lib/supply/fetch/limits.ts'
import { readMirrors } from '../../lib/supply/fetch/mirrors.ts'
import { openNetwork } from '../../lib/supply/fetch/network.ts'
import { openQueue } from '../../lib/supply/fetch/queue.ts'
import { readReference } from '../../lib/supply/fetch/reference.ts'
import { fetchImages } from '../../lib/supply/registry/fetch-images.ts'
import { provenImage } from '../../lib/supply/registry/image-proof.ts'
import { openRegistries } from '../../lib/supply/registry/registry-facts.ts'
import { archiveImages } from '../archives.ts'
import {
  addImage,
  type Contents,
  layer,
  openRegistry,
  type Registry,
  type RegistryOptions,
} from './download-registry-server.mts'
import { breakAfter, instead, sha256, status } from './download-server.mts'

const QUICK: Partial<Limits> = { pauseMs: 1, longestPauseMs: 4, answerMs: 2000, reachMs: 4000 }
const LOGIN = { user: 'me', secret: 's3cret:with colon' }

function contents(): Contents {
  const made: Contents = new Map()
  addImage(made, 'team/app', '1', [{ arch: 'amd64', layers: [layer('app', randomBytes(60_000))] }])
  return made
}

interface Fetched {
  readonly message: string
  readonly archives: readonly string[]
  readonly digests: readonly (string | undefined)[]
  readonly kept: readonly string[]
  readonly progress: readonly Progress[]
}

describe('fetchImages()', () => {
  const base = mkdtempSync(join(tmpdir(), 'kubestep login '))
  const open: Registry[] = []
  const registry = async (options: RegistryOptions = {}, made = contents()): Promise<Registry> => {
    const opened = await openRegistry(made, options)
    open.push(opened)
    return opened
  }
  after(async () => {
    for (const one of open) await one.close()
    rmSync(base, { recursive: true })
  })

  const fetch = async (
    image: string,
    more: { mirror?: string; lock?: ReadonlyMap<string, string>; home?: string; hosts?: string } = {},
  ): Promise<Fetched> => {
    const cacheDir = mkdtempSync(join(base, 'cache-'))
    const environment = { HOME: more.home ?? '/nonexistent', XDG_RUNTIME_DIR: '/nonexistent' }
    const registries = await openRegistries(
      [image],
      readMirrors(more.mirror),
      environment,
      more.hosts ?? '/nonexistent',
    )
    const network = openNetwork({ deadline: AbortSignal.timeout(20_000), limits: QUICK, tls: registries.tls })
    const progress: Progress[] = []
    const store = { cacheDir, arch: 'amd64', registries, lock: more.lock ?? new Map(), network, queue: openQueue(4) }
    const [outcome] = await fetchImages([image], { ...store, onProgress: event => void progress.push(event) })
    network.close()
    const kept = readdirSync(cacheDir, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(({ name }) => name)
    if (outcome?.status === 'fulfilled') {
      const { path, digest } = outcome.value
      return { message: '', archives: [path], digests: [digest], kept, progress }
    }
    return {
      message: String((outcome?.reason as Error | undefined)?.message),
      archives: [],
      digests: [],
      kept,
      progress,
    }
  }

  /** A home that is logged in at a host. */
  const homeOf = (host: string, entry: object): string => {
    const home = mkdtempSync(join(base, 'home-'))
    mkdirSync(join(home, '.docker'))
    writeFileSync(join(home, '.docker/config.json'), JSON.stringify({ auths: { [host]: entry } }))
    return home
  }
  const auth = (secret: string): object => ({ auth: Buffer.from(`${LOGIN.user}:${secret}`).toString('base64') })

  for (const how of ['basic', 'token', 'identity'] as const) {
    test(`logs in where a registry asks for that (${how}), and shows it to nobody else`, async () => {
      const made = contents()
      const storage = await registry({ isStorage: true }, made)
      const { host, requests } = await registry({ login: { ...LOGIN, how }, storage: storage.host }, made)
      const entry = how === 'identity' ? { identitytoken: LOGIN.secret } : auth(LOGIN.secret)
      const { message, archives, progress } = await fetch(`${host}/team/app:1`, { home: homeOf(host, entry) })
      assert.equal(message, '')
      assert.deepEqual(await archiveImages(archives[0] ?? ''), [`${host}/team/app:1`])
      assert.equal(storage.requests.length, 2)
      assert.ok(!JSON.stringify([requests, storage.requests, progress]).includes('s3cret'))
      // One question for a token is enough.
      assert.equal(requests.filter(path => path.startsWith('/token')).length, how === 'basic' ? 0 : 1)
    })

    test(`says so when a login is wrong (${how}), at once, and shows none of it`, async () => {
      const { host, requests } = await registry({ login: { ...LOGIN, how } })
      const entry = how === 'identity' ? { identitytoken: 'wr0ng' } : auth('wr0ng')
      const { message, kept } = await fetch(`${host}/team/app:1`, { home: homeOf(host, entry) })
      assert.match(
        message,
        /^components: cannot fetch image .*\/team\/app:1: .*does not accept the login from .*\.docker\/config\.json/,
      )
      assert.ok(!/wr0ng|s3cret/.test(message))
      assert.ok(requests.length <= 3, requests.join(' '))
      assert.deepEqual(kept, [])
    })

    test(`says what to do when there is no login (${how})`, async () => {
      const { host } = await registry({ login: { ...LOGIN, how } })
      const { message, kept } = await fetch(`${host}/team/app:1`)
      assert.match(message, /status 401|it wants a login, and there is none for it \(docker login/)
      assert.deepEqual(kept, [])
    })
  }

  test('gets a new token when the old one is no longer good', async () => {
    const made = contents()
    const { host, fail, requests } = await registry({ token: 'short-lived' }, made)
    const challenge = `Bearer realm="http://${host}/token",service="tests",scope="repository:team/app:pull"`
    const [blob = ''] = [...made.keys()].filter(path => path.includes('/blobs/'))
    fail(blob, status(401, { 'www-authenticate': challenge }))
    const { message } = await fetch(`${host}/team/app:1`)
    assert.equal(message, '')
    assert.equal(requests.filter(path => path.startsWith('/token')).length, 2)
  })

  test('asks a mirror in place of a registry, with the login for the mirror', async () => {
    const mirror = await registry({ login: { ...LOGIN, how: 'token' } })
    const home = homeOf(mirror.host, auth(LOGIN.secret))
    const { message, archives } = await fetch('registry.test/team/app:1', {
      mirror: `registry.test=http://${mirror.host}`,
      home,
    })
    assert.equal(message, '')
    assert.deepEqual(await archiveImages(archives[0] ?? ''), ['registry.test/team/app:1'])
  })

  test('goes on at the next mirror when one fails, also in the middle of a layer', async () => {
    const made = contents()
    const [bad, good] = [await registry({}, made), await registry({}, made)]
    for (const [path, { content }] of made) {
      if (path.includes('/blobs/') && content.length > 10_000)
        bad.fail(path, breakAfter(5000), status(500), status(500), status(500))
    }
    const mirror = `registry.test=http://127.0.0.1:1,registry.test=http://${bad.host},registry.test=http://${good.host}`
    const { message } = await fetch('registry.test/team/app:1', { mirror })
    assert.equal(message, '')
    assert.ok(good.requests.some(path => path.includes('/blobs/')))
  })

  const faults: readonly (readonly [
    what: string,
    spoil: (registry: Registry, made: Contents) => void,
    message: RegExp,
  ])[] = [
    [
      'answers 500',
      ({ fail }) => fail('team/app/manifests/1', ...Array(9).fill(status(500))),
      /status 500 for http.*manifests\/1/,
    ],
    [
      'answers garbage',
      ({ fail }) => fail('team/app/manifests/1', ...Array(9).fill(instead('<html>hotel</html>'))),
      /no image manifest for http/,
    ],
    [
      'sends half a file',
      ({ fail }, made) => {
        for (const path of made.keys()) if (path.includes('/blobs/')) fail(path, ...Array(50).fill(breakAfter(10)))
      },
      /connection reset|only \d+ of \d+ bytes/,
    ],
    [
      'has another layer',
      ({ fail }, made) => {
        for (const [path, { content }] of made)
          if (path.includes('/blobs/')) fail(path, ...Array(9).fill(instead(randomBytes(content.length))))
      },
      /SHA-256 is [0-9a-f]+ and has to be/,
    ],
    ['does not know the image', (_, made) => made.clear(), /status 404 for http/],
  ]
  for (const [what, spoil, message] of faults) {
    test(`tells of a mirror that ${what}, and keeps no image`, async () => {
      const made = contents()
      const mirror = await registry({}, made)
      spoil(mirror, made)
      const started = performance.now()
      const fetched = await fetch('registry.test/team/app:1', { mirror: `registry.test=http://${mirror.host}` })
      assert.match(fetched.message, message)
      assert.match(fetched.message, /^components: cannot fetch image registry\.test\/team\/app:1: 127\.0\.0\.1:\d+: /)
      assert.deepEqual(
        fetched.kept.filter(name => !name.endsWith('.part')),
        [],
      )
      assert.ok(performance.now() - started < 9000)
    })
  }

  test('takes a locked digest, and refuses another one', async () => {
    const made = contents()
    const { host } = await registry({}, made)
    const image = `${host}/team/app:1`
    const digest = sha256(made.get('team/app/manifests/1')?.content ?? '')
    const good = await fetch(image, { lock: new Map([[image, digest]]) })
    assert.deepEqual([good.message, good.digests], ['', [`sha256:${digest}`]])
    assert.equal((await provenImage(good.archives[0] ?? '', readReference(image), 'amd64'))?.source, `sha256:${digest}`)
    const bad = await fetch(image, { lock: new Map([[image, 'a'.repeat(64)]]) })
    assert.match(bad.message, /the digest is sha256:[0-9a-f]{64} and has to be sha256:a{64}/)
    assert.deepEqual(bad.kept, [])
  })

  describe('over TLS', () => {
    const files = { key: join(base, 'tls.key'), cert: join(base, 'tls.crt') }
    let able = true
    before(() => {
      const subject = ['-subj', '/CN=tests', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2', '-nodes']
      const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-keyout', files.key, '-out', files.cert]
      try {
        execFileSync('openssl', ['req', '-x509', ...key, ...subject], { stdio: 'ignore' })
      } catch {
        able = false
      }
    })
    const secure = (): Promise<Registry> =>
      registry({ tls: { key: readFileSync(files.key, 'utf8'), cert: readFileSync(files.cert, 'utf8') } })
    /** A folder like /etc/containerd/certs.d. */
    const hosts = (host: string, text: string): string => {
      const folder = mkdtempSync(join(base, 'certs.d-'))
      mkdirSync(join(folder, host))
      writeFileSync(join(folder, host, 'hosts.toml'), text)
      return folder
    }

    for (const [what, settings, message] of [
      ['with the authority that hosts.toml names', `ca = ${JSON.stringify(files.cert)}`, /^$/],
      ['without a check where hosts.toml says so', 'skip_verify = true', /^$/],
      ['and not with an authority that nobody knows', '', /its certificate is not trusted .*NODE_EXTRA_CA_CERTS/],
    ] as const) {
      test(what, async context => {
        if (!able) return context.skip('openssl is not installed')
        const { host } = await secure()
        const folder = hosts('registry.test', `[host."https://${host}"]\n${settings}\n`)
        const mirrored = await fetch('registry.test/team/app:1', { hosts: folder })
        assert.match(mirrored.message.split('; registry.test')[0] ?? '', message)
      })
    }
  })
})
