/** Images into a real containerd of the test's own. Skipped where there is none, or no root. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import type { JsonObject } from '../../lib/base/json.ts'
import { architecture } from '../../lib/base/platform.ts'
import { $, which } from '../../lib/machine/command.ts'
import { provideSources } from '../../lib/supply/load/image-sources.ts'
import { loadSources } from '../../lib/supply/load/load-sources.ts'
import { containerdConfig } from '../../lib/supply/runtime/containerd-config.ts'
import { openRuntime, type Runtime } from '../../lib/supply/runtime/runtime.ts'
import { dockerFiles, imageId, ociFiles, sha256, tarOf } from '../archives.ts'

const containerd = which('containerd')
const able = containerd !== undefined && which('ctr') !== undefined && process.getuid?.() === 0
const reason = able ? false : 'containerd, ctr and root are needed'

const arch = architecture()
const other = arch === 'arm64' ? 'amd64' : 'arm64'
const platform = `linux/${arch}`

describe('loadSources()', { skip: reason }, () => {
  const base = mkdtempSync(join(tmpdir(), 'kubestep-load-test-'))
  const daemon = { stop: async (): Promise<void> => {} }
  let runtime: Runtime

  before(async () => {
    const config = join(base, 'config.toml')
    const socket = join(base, 'c.sock')
    const settings = {
      root: join(base, 'root'),
      state: join(base, 'state'),
      socket,
      cniBinDir: base,
      cniConfDir: join(base, 'cni'),
      runc: which('runc') ?? 'runc',
      pauseImage: 'example.org/pause:1',
      cgroupDriver: 'cgroupfs',
      restrictOomScore: true,
    } as const
    writeFileSync(config, containerdConfig(settings))
    const child = spawn(containerd ?? '', ['--config', config], { stdio: 'ignore' })
    daemon.stop = async () => {
      const ended = new Promise(resolve => child.once('exit', resolve))
      child.kill('SIGTERM')
      await ended
    }
    for (let tries = 0; ; tries++) {
      try {
        runtime = await openRuntime(`unix://${socket}`, true)
        break
      } catch (error) {
        if (tries > 200) throw error
        await sleep(50)
      }
    }
  })

  after(async () => {
    runtime.cri.close()
    await daemon.stop()
    rmSync(base, { recursive: true, force: true })
  })

  const archive = (name: string, content: Uint8Array): string => {
    const path = join(base, name)
    writeFileSync(path, content)
    return path
  }
  const load = async (...archives: readonly string[]) => {
    const folder = mkdtempSync(join(base, 'work-'))
    return loadSources(runtime, await provideSources({ archives, images: [] }, folder), platform)
  }
  const names = async (): Promise<string[]> => {
    const { images } = await runtime.cri.call('ListImages')
    return ((images ?? []) as readonly JsonObject[]).flatMap(image => image.repoTags as readonly string[]).sort()
  }
  const contents = async (): Promise<string> => {
    const ctr = ['ctr', '--address', join(base, 'c.sock'), '--namespace', 'k8s.io', 'images', 'ls', '-q']
    return (await $({ nothrow: true })`${ctr}`).stdout
  }

  it('takes docker archives, plain and compressed, and gives whole names and ids', async () => {
    const [one, two] = [
      { architecture: arch, mark: 'one' },
      { architecture: arch, mark: 'two' },
    ] as const
    const plain = archive('one.tar', tarOf(dockerFiles(one, ['app:1', 'registry.test/app:1'])))
    const packed = archive('two.tar.gz', gzipSync(tarOf(dockerFiles(two, ['team/two:2']))))
    assert.deepEqual(await load(plain, packed), [
      { name: 'docker.io/library/app:1', id: imageId(one) },
      { name: 'registry.test/app:1', id: imageId(one) },
      { name: 'docker.io/team/two:2', id: imageId(two) },
    ])
    assert.deepEqual(await names(), ['docker.io/library/app:1', 'docker.io/team/two:2', 'registry.test/app:1'])
  })

  it('takes the right one of an OCI archive for several platforms', async () => {
    const mine = { architecture: arch, mark: 'multi' }
    const files = ociFiles([{ architecture: other, mark: 'multi' }, mine], {
      'io.containerd.image.name': 'test.local/multi:1',
    })
    assert.deepEqual(await load(archive('multi.tar', tarOf(files))), [
      { name: 'test.local/multi:1', id: imageId(mine) },
    ])
  })

  it('gives an OCI archive with a short name its whole name', async () => {
    const image = { architecture: arch, mark: 'short' }
    const files = ociFiles([image], { 'org.opencontainers.image.ref.name': 'short:3' })
    assert.deepEqual(await load(archive('short.tar', tarOf(files))), [
      { name: 'docker.io/library/short:3', id: imageId(image) },
    ])
    assert.equal((await names()).includes('short:3'), false)
  })

  it('moves a name to a newer image', async () => {
    const newer = { architecture: arch, mark: 'newer' }
    await load(archive('newer.tar', tarOf(dockerFiles(newer, ['app:1']))))
    const { image } = await runtime.cri.call('ImageStatus', { image: { image: 'app:1' } })
    assert.equal((image as JsonObject).id, imageId(newer))
  })

  const good = { architecture: arch, mark: 'good' }
  const whole = tarOf(dockerFiles(good, ['good:1']))
  const files = dockerFiles(good, ['good:1'])
  for (const [what, bytes, message] of [
    ['is cut short', whole.subarray(0, 1700), /cut short/],
    ['is no tar', Buffer.from('this is not an archive, really'), /cut short|not a tar archive/],
    ['is empty', Buffer.alloc(0), /it is empty/],
    ['has a damaged layer', tarOf({ ...files, 'layer1/layer.tar': 'something else' }), /layer1\/layer\.tar is damaged/],
    [
      'lacks a layer',
      tarOf(Object.fromEntries(Object.entries(files).filter(([name]) => !name.endsWith('.tar')))),
      /is missing/,
    ],
    ['has a damaged list', tarOf({ ...files, 'manifest.json': '{"a' }), /its manifest\.json is damaged/],
    [
      'is for another platform',
      tarOf(dockerFiles({ architecture: other }, ['other:1'])),
      new RegExp(`it is for linux/${other} and this machine is ${platform}`),
    ],
    [
      'is for other platforms',
      tarOf(ociFiles([{ architecture: other }, { architecture: 's390x' }], { 'io.containerd.image.name': 'x.y/z:1' })),
      /it is for linux\/\w+, linux\/s390x and/,
    ],
    ['has no name', tarOf(dockerFiles(good, null)), /has no name/],
    [
      'has a tag alone for a name',
      tarOf(ociFiles([good], { 'org.opencontainers.image.ref.name': 'latest' })),
      /has no name/,
    ],
    ['has nothing of images in it', tarOf({ 'a.txt': 'a' }), /no archive of images/],
    ['is a damaged gzip', gzipSync(whole).subarray(0, 300), /unexpected end of file/],
  ] as const) {
    it(`refuses an archive that ${what}, and what is beside it, and leaves nothing`, async () => {
      const before = await contents()
      const bad = archive('bad.tar', bytes)
      await assert.rejects(load(archive('good.tar', whole), bad), error => {
        assert.match((error as Error).message, message)
        assert.match((error as Error).message, /bad\.tar/)
        assert.equal((error as Error).message.split('\n').length, 1)
        return true
      })
      assert.equal(await contents(), before)
      assert.ok(readFileSync(bad).equals(Buffer.from(bytes)))
    })
  }

  it('takes away what a failed import left', async () => {
    const before = await contents()
    // A layer that is what its checksum says and still no tar: only unpacking finds out.
    const layer = 'no tar at all'
    const config = JSON.stringify({
      architecture: arch,
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] },
    })
    const broken = tarOf({
      'c.json': config,
      'layer.tar': layer,
      'manifest.json': JSON.stringify([{ Config: 'c.json', RepoTags: ['broken:1'], Layers: ['layer.tar'] }]),
    })
    await assert.rejects(load(archive('broken.tar', broken)), /images: cannot import .*broken\.tar/)
    assert.equal(await contents(), before)
  })
})
