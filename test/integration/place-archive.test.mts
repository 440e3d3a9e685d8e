/** Archives put into a real containerd by hand: it has, keeps and finds again what an import would have given it. */
import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync, gzipSync } from 'node:zlib'
import { architecture } from '../../lib/base/platform.ts'
import { $, startDetached, which } from '../../lib/machine/command.ts'
import { isInCustody } from '../../lib/machine/file-custody.ts'
import { withHeld } from '../../lib/supply/load/held-archive.ts'
import { areInPlace } from '../../lib/supply/load/images-in-place.ts'
import { placeArchive } from '../../lib/supply/load/place-archive.ts'
import { containerdConfig } from '../../lib/supply/runtime/containerd-config.ts'
import { imageIds } from '../../lib/supply/runtime/import-archives.ts'
import { pinImage } from '../../lib/supply/runtime/pinned-image.ts'
import { openRuntime, type Runtime } from '../../lib/supply/runtime/runtime.ts'
import { dockerFiles, imageId, ociFiles, sha256, tarOf } from '../archives.ts'

const able = which('containerd') !== undefined && which('ctr') !== undefined && process.getuid?.() === 0
const arch = architecture()
const platform = `linux/${arch}`

describe('placeArchive()', { skip: able ? false : 'containerd, ctr and root are needed' }, () => {
  const base = able ? mkdtempSync('/var/lib/kubestep-test-place-') : ''
  const [root, socket] = [join(base, 'root'), join(base, 's')]
  let runtime: Runtime
  let pid = 0

  const start = async (): Promise<void> => {
    pid = startDetached([which('containerd') ?? '', '--config', join(base, 'config.toml')], join(base, 'log'))
    for (let tries = 0; ; tries++) {
      try {
        runtime = await openRuntime(`unix://${socket}`, true)
        return
      } catch (error) {
        if (tries > 400) throw error
        await sleep(50)
      }
    }
  }
  const stop = async (): Promise<void> => {
    runtime.cri.close()
    process.kill(pid, 'SIGTERM')
    while (readdirSync('/proc').includes(String(pid))) await sleep(20)
  }
  before(async () => {
    mkdirSync(join(base, 'cni'), { recursive: true })
    const settings = {
      root,
      state: join(base, 'state'),
      socket,
      // A folder that changes is read again, and that is said, in a log which must not lie in it.
      cniBinDir: join(base, 'cni'),
      cniConfDir: join(base, 'cni'),
      runc: which('runc') ?? 'runc',
      pauseImage: 'example.org/pause:1',
      cgroupDriver: 'cgroupfs',
      restrictOomScore: true,
    } as const
    writeFileSync(join(base, 'config.toml'), containerdConfig(settings))
    await start()
  })
  after(async () => {
    await stop()
    rmSync(base, { recursive: true, force: true })
  })

  const ctr = async (...args: readonly string[]): Promise<string> =>
    (await $`ctr --address ${socket} --namespace k8s.io ${args}`).stdout
  const place = (name: string, content: Uint8Array) => {
    writeFileSync(join(base, name), content)
    return placeArchive(runtime, root, join(base, name), platform)
  }
  const blobs = (): readonly string[] => readdirSync(join(root, 'io.containerd.content.v1.content/blobs/sha256')).sort()

  const docker = { architecture: arch, mark: 'docker' }
  const oci = { architecture: arch, mark: 'oci' }

  test("docker's and OCI archives, also of the same layer at once", async () => {
    const names = ['docker.io/library/one:1', 'registry.test/one:1']
    const same = tarOf(dockerFiles(docker, ['registry.test/same:1']))
    const [first] = await Promise.all([
      place('docker.tar', tarOf(dockerFiles(docker, ['one:1', 'registry.test/one:1']))),
      place('same.tar', same),
      place('oci.tar', tarOf(ociFiles([oci], { 'io.containerd.image.name': 'registry.test/oci:1' }))),
    ]).catch(async () => [
      // One of two with the same layer may lose: then it is the other import's turn.
      await place('docker.tar', tarOf(dockerFiles(docker, ['one:1', 'registry.test/one:1']))),
      await place('same.tar', same),
      await place('oci.tar', tarOf(ociFiles([oci], { 'io.containerd.image.name': 'registry.test/oci:1' }))),
    ])
    assert.deepEqual(
      first,
      names.map(name => ({ name, id: imageId(docker) })),
    )
    assert.deepEqual(await imageIds(runtime.cri), {
      ...Object.fromEntries([...names, 'registry.test/same:1'].map(name => [name, imageId(docker)])),
      'registry.test/oci:1': imageId(oci),
    })
  })

  test('all of it outlives a garbage collection and a new start', async () => {
    const [had, files] = [await imageIds(runtime.cri), blobs()]
    await ctr('leases', 'create', '--id', 'some')
    await ctr('leases', 'delete', '--sync', 'some')
    await stop()
    await start()
    assert.deepEqual(await imageIds(runtime.cri), had)
    assert.deepEqual(blobs(), files)
    const checked = (await ctr('images', 'check')).trim().split('\n').slice(1)
    assert.equal(
      checked.length > 0 && checked.every(line => /\bcomplete\b.*\btrue\b/.test(line)),
      true,
      checked.join('\n'),
    )
    const mount = join(base, 'mount')
    mkdirSync(mount)
    await ctr('images', 'mount', 'registry.test/oci:1', mount)
    try {
      assert.equal(readFileSync(join(mount, 'hello.txt'), 'utf8'), `hello ${arch} oci\n`)
    } finally {
      await ctr('images', 'unmount', '--rm', mount)
    }
  })

  test('layers over layers, some of which only containerd itself can unpack', async () => {
    const layers = [
      tarOf({ 'kept.txt': 'kept', 'gone.txt': 'gone', 'same.txt': 'old' }),
      gzipSync(tarOf({ '.wh.gone.txt': '', 'same.txt': 'new' })),
      gzipSync(tarOf({ 'deep/down.txt': 'deep' })),
      gzipSync(tarOf({ 'last.txt': 'last' })),
    ]
    const plain = layers.map((bytes, index) => (index === 0 ? bytes : gunzipSync(bytes)))
    const config = JSON.stringify({
      architecture: arch,
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: plain.map(layer => `sha256:${sha256(layer)}`) },
    })
    const files = Object.fromEntries(layers.map(bytes => [`blobs/sha256/${sha256(bytes)}`, bytes]))
    const list = [{ Config: 'c.json', RepoTags: ['registry.test/layers:1'], Layers: Object.keys(files) }]
    const id = `sha256:${sha256(config)}`
    const archive = tarOf({ ...files, 'c.json': config, 'manifest.json': JSON.stringify(list) })
    assert.deepEqual(await place('layers.tar', archive), [{ name: 'registry.test/layers:1', id }])
    const mount = join(base, 'layers')
    mkdirSync(mount)
    await ctr('images', 'mount', 'registry.test/layers:1', mount)
    try {
      const read = (name: string): string => readFileSync(join(mount, name), 'utf8')
      assert.deepEqual(readdirSync(mount).sort(), ['deep', 'kept.txt', 'last.txt', 'same.txt'])
      assert.deepEqual(['kept.txt', 'same.txt', 'deep/down.txt', 'last.txt'].map(read), ['kept', 'new', 'deep', 'last'])
    } finally {
      await ctr('images', 'unmount', '--rm', mount)
    }
    assert.doesNotMatch(await ctr('snapshots', 'list'), /kubestep-|Active/)
  })

  test('what is unpacked is what containerd itself unpacks, to the last bit', async () => {
    const from = join(base, 'from')
    mkdirSync(join(from, 'tmp'), { recursive: true })
    for (const [name, mode, owner] of [
      ['tool', 0o4755, 0],
      ['tmp/secret', 0o600, 1000],
    ] as const) {
      writeFileSync(join(from, name), Buffer.alloc(2_500_000, name))
      chownSync(join(from, name), owner, owner)
      chmodSync(join(from, name), mode)
    }
    linkSync(join(from, 'tool'), join(from, 'same'))
    symlinkSync('/etc/passwd', join(from, 'link'))
    chownSync(join(from, 'tmp'), 7, 8)
    chmodSync(join(from, 'tmp'), 0o1777)
    utimesSync(join(from, 'tmp'), 1_000_000_000, 1_000_000_000)
    await $`tar --numeric-owner -cf ${join(base, 'from.tar')} -C ${from} .`
    const layer = readFileSync(join(base, 'from.tar'))
    const rootfs = { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] }
    const list = [{ Config: 'c.json', RepoTags: ['registry.test/bits:1'], Layers: ['l.tar'] }]
    const files = { 'c.json': JSON.stringify({ architecture: arch, os: 'linux', rootfs }), 'l.tar': gzipSync(layer) }
    await place('bits.tar', tarOf({ ...files, 'manifest.json': JSON.stringify(list) }))
    const treeBy = async (snapshotter: string): Promise<string> => {
      const mount = join(base, `by-${snapshotter}`)
      mkdirSync(mount)
      await ctr('images', 'mount', '--snapshotter', snapshotter, 'registry.test/bits:1', mount)
      try {
        const { stdout } = await $`find ${mount} -mindepth 1 -printf ${'%P %M %U %G %Ts %l\n'}`
        const { stdout: files } = await $`find ${mount} -type f -printf ${'%P %n %s\n'} -exec sha256sum {} ;`
        return [stdout, files.replaceAll(mount, '')].flatMap(text => text.split('\n').sort()).join('\n')
      } finally {
        await ctr('images', 'unmount', '--rm', mount)
      }
    }
    const ours = await treeBy('overlayfs')
    assert.match(ours, /^tmp drwxrwxrwt 7 8 1000000000 \n(?:.*\n)*tool -rwsr-xr-x 0 0 /m)
    assert.equal(ours, await treeBy('native'))
  })

  test('an image under its old name is replaced', async () => {
    const newer = { architecture: arch, mark: 'newer' }
    await place('newer.tar', tarOf(dockerFiles(newer, ['one:1'])))
    assert.equal((await imageIds(runtime.cri))['docker.io/library/one:1'], imageId(newer))
  })

  test('the image of sandboxes is pinned, however it came, and no other', async () => {
    const pause = { architecture: arch, mark: 'pause' }
    const archive = join(base, 'pause.tar')
    writeFileSync(archive, tarOf(dockerFiles(pause, ['registry.test/pause:1', 'registry.test/pause:2'])))
    await placeArchive(runtime, root, archive, platform)
    await $`ctr --address ${socket} --namespace k8s.io images tag registry.test/same:1 registry.test/tagged:1`
    for (const name of ['pause:1', 'tagged:1']) await pinImage(`unix://${socket}`, `registry.test/${name}`)
    await pinImage(`unix://${socket}`, 'registry.test/nobody:1')
    const pinned = (await ctr('images', 'list', '--quiet', 'labels."io.cri-containerd.pinned"==pinned')).split('\n')
    assert.deepEqual(pinned.filter(Boolean), ['registry.test/pause:1', 'registry.test/tagged:1'])
    assert.equal((await imageIds(runtime.cri))['registry.test/pause:1'], imageId(pause))
  })

  test('what is there is known by names and ids, and looked at by them alone', async () => {
    const isThere = (name: string) => areInPlace(imageIds(runtime.cri), join(base, name), platform)
    for (const name of ['same.tar', 'oci.tar', 'newer.tar']) assert.equal(await isThere(name), true, name)
    // Its name stands for another image by now.
    assert.equal(await isThere('docker.tar'), false)
    writeFileSync(join(base, 'absent.tar'), tarOf(dockerFiles(docker, ['absent:1'])))
    writeFileSync(join(base, 'foreign.tar'), tarOf(dockerFiles({ architecture: 's390x', mark: 'docker' }, ['one:1'])))
    writeFileSync(join(base, 'same.tar.gz'), gzipSync(readFileSync(join(base, 'same.tar'))))
    for (const name of ['absent.tar', 'foreign.tar', 'same.tar.gz', 'nothing.tar']) {
      assert.equal(await isThere(name), false, name)
    }
  })

  test('an archive that was exchanged since it was looked at is not placed, and not imported either', async () => {
    const [looked, other] = ['looked at', 'another'].map(mark => ({ architecture: arch, mark })) as [object, object]
    const path = join(base, 'exchanged.tar')
    const id = imageId(looked)
    const names = ['registry.test/exchanged:1']
    const placing = () => placeArchive(runtime, root, path, platform, id)
    const held = async (): Promise<string> => {
      let read = ''
      await withHeld(path, platform, id, async copy => {
        read = sha256(readFileSync(copy))
        // Whoever may write the folder cannot reach what is imported.
        writeFileSync(path, 'exchanged')
        assert.equal(sha256(readFileSync(copy)), copy === path ? sha256('exchanged') : read)
        assert.equal(copy === path, isInCustody(path))
      })
      return read
    }
    for (const owner of [0, 65534]) {
      writeFileSync(path, tarOf(dockerFiles(other, names)))
      chownSync(path, owner, owner)
      await assert.rejects(placing, /it has changed since it was looked at/)
      if (owner !== 0) await assert.rejects(held, /it has changed since it was looked at/)
      assert.equal((await imageIds(runtime.cri))[names[0] ?? ''], undefined)
      const right = tarOf(dockerFiles(looked, names))
      writeFileSync(path, right)
      assert.equal(await held(), sha256(right))
    }
    writeFileSync(path, tarOf(dockerFiles(looked, names)))
    assert.deepEqual(await placing(), [{ name: names[0], id }])
    assert.deepEqual(
      readdirSync(tmpdir()).filter(name => name.startsWith(`kubestep-load-${process.pid}-`)),
      [],
    )
  })

  const bad = { architecture: arch, mark: 'bad' }
  const files = dockerFiles(bad, ['bad:1'])
  const otherLayer = 'no tar at all'
  const config = JSON.stringify({
    architecture: arch,
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(otherLayer)}`] },
  })
  for (const [what, bytes] of [
    ['a damaged layer', tarOf({ ...files, 'layer1/layer.tar': 'something else' })],
    ['an archive that is cut short', tarOf(files).subarray(0, 1700)],
    [
      'a layer that is not a tar',
      tarOf({
        'c.json': config,
        'layer.tar': otherLayer,
        'manifest.json': JSON.stringify([{ Config: 'c.json', RepoTags: ['bad:1'], Layers: ['layer.tar'] }]),
      }),
    ],
    [
      'images for several platforms',
      tarOf(ociFiles([bad, { architecture: 's390x' }], { 'io.containerd.image.name': 'x.y/z:1' })),
    ],
  ] as const) {
    test(`${what}: it throws, and there is no image`, async () => {
      const had = await imageIds(runtime.cri)
      await assert.rejects(place('bad.tar', bytes))
      assert.deepEqual(await imageIds(runtime.cri), had)
      const left = readdirSync(join(root, 'io.containerd.content.v1.content'))
      assert.deepEqual(
        left.filter(name => name.startsWith('kubestep')),
        [],
      )
    })
  }
})
