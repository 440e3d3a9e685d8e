/** Images into a real containerd of the test's own, from registries of the test's own. Skipped where there is none, or no root. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { architecture } from '../../lib/base/platform.ts'
import { $, which } from '../../lib/machine/command.ts'
import type { Progress } from '../../lib/supply/fetch/fetch-progress.ts'
import type { Limits } from '../../lib/supply/fetch/limits.ts'
import { NO_MIRRORS, readMirrors } from '../../lib/supply/fetch/mirrors.ts'
import { type Pull, type PulledImage, pullImages } from '../../lib/supply/images/pull-images.ts'
import { warnWhenUnreachable } from '../../lib/supply/images/registry-reach.ts'
import { sandboxImage } from '../../lib/supply/images/sandbox-image.ts'
import { openRegistries } from '../../lib/supply/registry/registry-facts.ts'
import { containerdConfig } from '../../lib/supply/runtime/containerd-config.ts'
import { registryFiles } from '../../lib/supply/runtime/registry-folder.ts'
import { openRuntime, type Runtime } from '../../lib/supply/runtime/runtime.ts'
import {
  addImage,
  type Contents,
  layer,
  openRegistry,
  type Registry,
  type RegistryOptions,
} from './download-registry-server.mts'
import { type Fault, instead, sha256, silence, status } from './download-server.mts'

const containerd = which('containerd')
const able = containerd !== undefined && which('ctr') !== undefined && process.getuid?.() === 0
const reason = able ? false : 'containerd, ctr and root are needed'

const arch = architecture()
const QUICK: Partial<Limits> = { pauseMs: 1, longestPauseMs: 4, answerMs: 2000, reachMs: 3000 }
const LOGIN = { user: 'me', secret: 's3cret' }
/** Half of it, whatever range was asked for: going on where it ended helps nobody. */
const half: Fault = (request, response, content) => {
  response.writeHead(200, { 'content-length': content.length })
  response.write(content.subarray(0, content.length / 2), () => request.socket.destroy())
}

const SANDBOX = 'registry.test/pause:1'

describe('pullImages()', { skip: reason }, () => {
  const base = mkdtempSync(join(tmpdir(), 'kubestep-pull-test-'))
  const dockerConfig = process.env.DOCKER_CONFIG
  const open: Registry[] = []
  const daemon = { stop: async (): Promise<void> => {} }
  let runtime: Runtime

  before(async () => {
    // The folder of CNI is watched, so it is not the one that changes all the time.
    mkdirSync(join(base, 'cni'))
    const socket = join(base, 'c.sock')
    const settings = {
      root: join(base, 'root'),
      state: join(base, 'state'),
      socket,
      cniBinDir: join(base, 'cni'),
      cniConfDir: join(base, 'cni'),
      runc: which('runc') ?? 'runc',
      pauseImage: SANDBOX,
      cgroupDriver: 'cgroupfs',
      restrictOomScore: true,
      registryConfig: `${join(base, 'certs.d')}:${join(base, 'other')}`,
    } as const
    writeFileSync(join(base, 'config.toml'), containerdConfig(settings))
    const child = spawn(containerd ?? '', ['--config', join(base, 'config.toml')], { stdio: 'ignore' })
    daemon.stop = async () => {
      const ended = new Promise(resolve => child.once('exit', resolve))
      child.kill('SIGTERM')
      await ended
    }
    for (let tries = 0; ; tries++) {
      try {
        runtime = await openRuntime(`unix://${socket}`, false)
        break
      } catch (error) {
        if (tries > 200) throw error
        await sleep(50)
      }
    }
    process.env.DOCKER_CONFIG = base
  })

  after(async () => {
    if (dockerConfig === undefined) delete process.env.DOCKER_CONFIG
    else process.env.DOCKER_CONFIG = dockerConfig
    for (const one of open) await one.close()
    runtime.cri.close()
    await daemon.stop()
    rmSync(base, { recursive: true, force: true })
  })

  const contents = (name: string): Contents => {
    const made: Contents = new Map()
    addImage(made, name, '1', [{ arch, layers: [layer('file', randomBytes(60_000))] }])
    return made
  }
  const registry = async (made: Contents, options: RegistryOptions = {}): Promise<Registry> => {
    const opened = await openRegistry(made, options)
    open.push(opened)
    return opened
  }
  const ctr = async (...words: readonly string[]): Promise<string> =>
    (await $({ nothrow: true })`ctr --address ${join(base, 'c.sock')} --namespace k8s.io ${words}`).stdout
  const inside = async (): Promise<string> => (await ctr('images', 'ls', '-q')) + (await ctr('content', 'active', '-q'))

  interface Outcome {
    readonly message: string
    readonly pulled: readonly PulledImage[]
    readonly progress: readonly Progress[]
  }
  const pull = async (images: readonly string[], more: Partial<Pull> = {}, ours = false): Promise<Outcome> => {
    const pulled: PulledImage[] = []
    const progress: Progress[] = []
    const settings = {
      arch,
      cacheDir: join(base, 'cache'),
      deadline: AbortSignal.timeout(30_000),
      limits: QUICK,
      onProgress: (event: Progress) => void progress.push(event),
      onPulled: (one: PulledImage) => void pulled.push(one),
      ...more,
    }
    try {
      await pullImages(images, { ...runtime, ours }, settings)
      return { message: '', pulled, progress }
    } catch (error) {
      return { message: (error as Error).message, pulled, progress }
    }
  }
  const login = (host: string, secret: string): void => {
    const auth = Buffer.from(`${LOGIN.user}:${secret}`).toString('base64')
    writeFileSync(join(base, 'config.json'), JSON.stringify({ auths: { [host]: { auth } } }))
  }

  it('lets the runtime pull, shows digests, and leaves alone what is there', async () => {
    const made = contents('one')
    const { host, requests } = await registry(made)
    const digest = `sha256:${sha256(made.get('one/manifests/1')?.content ?? '')}`
    const first = await pull([`${host}/one:1`])
    assert.equal(first.message, '')
    assert.deepEqual(
      first.pulled.map(({ image, state, digest }) => [image, state, digest]),
      [[`${host}/one:1`, 'pulled', digest]],
    )
    const before = requests.length
    const second = await pull([`${host}/one:1`])
    assert.deepEqual(
      second.pulled.map(({ state, digest }) => [state, digest]),
      [['present', digest]],
    )
    assert.equal(requests.length, before)
  })

  for (const how of ['basic', 'token'] as const) {
    it(`gives the runtime the user's login (${how}), and says so when it is wrong`, async () => {
      const { host } = await registry(contents('private'), { login: { ...LOGIN, how } })
      const before = await inside()
      login(host, 'wr0ng')
      const refused = await pull([`${host}/private:1`])
      assert.match(
        refused.message,
        /^components: cannot fetch image .*\/private:1: 127\.0\.0\.1:\d+: .*(?:401|authoriz|denied)/i,
      )
      assert.doesNotMatch(JSON.stringify(refused), /wr0ng/)
      assert.equal(await inside(), before)
      login(host, LOGIN.secret)
      const { message, pulled } = await pull([`${host}/private:1`])
      assert.equal(message, '')
      assert.equal(pulled[0]?.state, 'pulled')
    })
  }

  it('pulls what is for everybody in spite of a login that cannot be had, and else says why there is none', async () => {
    const free = await registry(contents('free'))
    const locked = await registry(contents('locked'), { login: { ...LOGIN, how: 'basic' } })
    writeFileSync(join(base, 'config.json'), JSON.stringify({ credsStore: 'kubestep-nowhere' }))
    const { message, pulled } = await pull([`${free.host}/free:1`, `${locked.host}/locked:1`])
    writeFileSync(join(base, 'config.json'), '{}')
    assert.deepEqual(
      pulled.map(({ image }) => image),
      [`${free.host}/free:1`],
    )
    assert.match(
      message,
      /locked:1: .* \(images: cannot get the credentials for .*docker-credential-kubestep-nowhere has them/,
    )
  })

  it('brings what a mirror has that the runtime knows nothing of', async () => {
    const { host } = await registry(contents('two'))
    const { message, pulled } = await pull(['registry.test/two:1'], { mirror: `registry.test=http://${host}` })
    assert.equal(message, '')
    assert.deepEqual(
      pulled.map(({ image, state }) => [image, state]),
      [['registry.test/two:1', 'pulled']],
    )
    assert.match(await ctr('images', 'ls', '-q'), /^registry\.test\/two:1$/m)
    // What is in the cache needs no registry.
    await ctr('images', 'rm', 'registry.test/two:1')
    const again = await pull(['registry.test/two:1'], { offline: true }, true)
    assert.equal(again.message, '')
    assert.match(await ctr('images', 'ls', '-q'), /^registry\.test\/two:1$/m)
  })

  it('lets the runtime find the mirrors that an init wrote down for it, for Pods', async () => {
    const mirror = await registry(contents('pod'))
    for (const { path, content } of registryFiles(
      readMirrors(`pods.test=http://${mirror.host}`),
      join(base, 'certs.d'),
    )) {
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, content)
    }
    await runtime.cri.call('PullImage', { image: { image: 'pods.test/pod:1' } }, 20_000)
    assert.match(await ctr('images', 'ls', '-q'), /^pods\.test\/pod:1$/m)
    assert.ok(mirror.requests.some(path => path.includes('/blobs/')))
  })

  it('brings what it can and tells of everything else at once', async () => {
    const { host } = await registry(contents('three'))
    const mirror = `registry.test=http://${host}`
    const images = ['registry.test/three:1', 'registry.test/gone:1', `${host}/gone:2`]
    const { message, pulled } = await pull(images, { mirror })
    assert.deepEqual(
      pulled.map(({ image }) => image),
      ['registry.test/three:1'],
    )
    assert.match(message, /cannot fetch image registry\.test\/gone:1: .*status 404/)
    assert.match(message, /cannot fetch image 127\.0\.0\.1:\d+\/gone:2: .*not found/)
  })

  it('contacts nobody with --offline, and says so', async () => {
    const { host, requests } = await registry(contents('four'))
    const { message } = await pull([`${host}/four:1`], { offline: true })
    assert.match(message, /^components: cannot fetch image .*four:1: with --offline nothing is contacted \(127/)
    assert.deepEqual(requests, [])
  })

  it('says within seconds that no registry can be reached, and what else there is', async () => {
    const started = performance.now()
    const { message } = await pull(['127.0.0.1:1/five:1'])
    assert.match(
      message,
      /no host can be reached; tried\n {2}127\.0\.0\.1:1: .*connection refused.*\nways out:\n {2}--mirror URL/s,
    )
    assert.ok(performance.now() - started < 10_000)
  })

  it('ends when the time is up, and leaves nothing', async () => {
    const made = contents('slow')
    const slow = await registry(made)
    for (const path of made.keys()) slow.fail(path, ...Array(9).fill(silence))
    const before = await inside()
    const { message } = await pull([`${slow.host}/slow:1`], { deadline: AbortSignal.timeout(500) })
    assert.match(
      message,
      /^components: cannot fetch image .*slow:1: the time is up; 127\.0\.0\.1:\d+: the runtime was still pulling/,
    )
    assert.equal(await inside(), before)
  })

  it('refuses an image that is not the locked one, and takes it away again', async () => {
    const { host } = await registry(contents('six'))
    const lock = join(base, 'lock')
    writeFileSync(lock, `${'a'.repeat(64)}  ${host}/six:1\n`)
    const before = await inside()
    const { message } = await pull([`${host}/six:1`], { lock })
    assert.match(
      message,
      /^images: cannot accept ".*six:1": its digest is sha256:[0-9a-f]{64} and has to be sha256:a{64}/,
    )
    assert.equal(await inside(), before)
  })

  const faults: readonly (readonly [what: string, spoil: (registry: Registry, made: Contents) => void])[] = [
    [
      'answers 500',
      ({ fail }, made) => {
        for (const path of made.keys()) fail(path, ...Array(30).fill(status(500)))
      },
    ],
    [
      'answers garbage',
      ({ fail }, made) => {
        for (const path of made.keys()) fail(path, ...Array(30).fill(instead('<html>', 'text/html')))
      },
    ],
    [
      'sends half a file',
      ({ fail }, made) => {
        for (const path of made.keys()) if (path.includes('/blobs/')) fail(path, ...Array(99).fill(half))
      },
    ],
    [
      'has another layer',
      ({ fail }, made) => {
        for (const [path, { content }] of made)
          if (path.includes('/blobs/')) fail(path, ...Array(30).fill(instead(randomBytes(content.length))))
      },
    ],
    ['does not know the image', (_, made) => made.clear()],
  ]
  for (const [what, spoil] of faults) {
    for (const mirrored of [false, true]) {
      it(`tells of a ${mirrored ? 'mirror' : 'registry'} that ${what}, within seconds, and leaves nothing`, async () => {
        const made = contents('bad')
        const bad = await registry(made)
        spoil(bad, made)
        const before = await inside()
        const started = performance.now()
        const image = mirrored ? 'bad.test/bad:1' : `${bad.host}/bad:1`
        const { message, pulled } = await pull([image], mirrored ? { mirror: `bad.test=http://${bad.host}` } : {})
        assert.ok(message.startsWith(`components: cannot fetch image ${image}: `), message)
        assert.deepEqual(pulled, [])
        assert.ok(performance.now() - started < 10_000)
        assert.equal(await inside(), before)
      })
    }
  }

  it('knows the image that sandboxes are made of', async () => {
    assert.equal(await sandboxImage(runtime), SANDBOX)
  })
})

describe('warnWhenUnreachable()', () => {
  const warned = async (image: string, stop: boolean): Promise<string[]> => {
    const registries = await openRegistries([image], NO_MIRRORS, {}, '/nonexistent')
    const told: string[] = []
    const end = warnWhenUnreachable([image], registries, {
      cacheDir: '/nonexistent',
      deadline: AbortSignal.timeout(20_000),
      limits: QUICK,
      onProgress: event => void (event.kind === 'notice' && told.push(event.text)),
    })
    if (stop) end()
    // As long as all tries and pauses take.
    await sleep(1000)
    end()
    return told
  }

  it('names the registry and the ways out when nobody answers', async () => {
    const [text = '', ...others] = await warned('127.0.0.1:1/a:1', false)
    assert.match(text, /^no registry can be reached from here \(127\.0\.0\.1:1: connection refused\), .*\n {2}--mirror/)
    assert.deepEqual(others, [])
  })

  it('says nothing when that is over before, or when somebody answers, whatever', async () => {
    assert.deepEqual(await warned('127.0.0.1:1/a:1', true), [])
    const server = await openRegistry(new Map())
    assert.deepEqual(await warned(`${server.host}/a:1`, false), [])
    await server.close()
  })
})
