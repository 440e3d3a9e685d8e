/** A cache that somebody has written into: what comes out of it is what the lock or the source says, by its content. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { prepareComponents } from '../../lib/supply/components/fetch-components.ts'
import type { OnProgress, Progress } from '../../lib/supply/fetch/fetch-progress.ts'
import type { Limits } from '../../lib/supply/fetch/limits.ts'
import { readReference } from '../../lib/supply/fetch/reference.ts'
import { tarEnd, tarHeader, tarPadding } from '../../lib/supply/fetch/tar.ts'
import { imageFile } from '../../lib/supply/registry/fetch-images.ts'
import { provenImage } from '../../lib/supply/registry/image-proof.ts'
import { digestOf, writeImageArchive } from '../../lib/supply/registry/write-image-archive.ts'
import { addImage, type Contents, layer, openRegistry, type Registry } from './download-registry-server.mts'
import { openSite, type Site, sha256, withChecksum } from './download-server.mts'

const QUICK: Partial<Limits> = { pauseMs: 1, longestPauseMs: 4, answerMs: 2000, reachMs: 4000 }
const KUBELET = randomBytes(50_000)
const BRIDGE = randomBytes(20_000)
const TGZ = gzipSync(layer('./bridge', BRIDGE, 0o755))
const FORGED = Buffer.from('forged')
const PLUGINS = '/containernetworking/plugins/releases/download/v1.9.1/cni-plugins-linux-amd64-v1.9.1.tgz'
const SOMEBODY = 65534
const NOT_ROOT = process.getuid?.() === 0 ? false : 'only root can make files of two users'

const base = mkdtempSync(join(tmpdir(), 'kubestep forged '))
chmodSync(base, 0o755)
const contents: Contents = new Map()
addImage(contents, 'pause', '3.10.2', [{ arch: 'amd64', layers: [layer('pause', randomBytes(3000))] }])
let site: Site
let registry: Registry
let image = ''
before(async () => {
  site = await openSite(
    new Map([...withChecksum('/release/v1.36.2/bin/linux/amd64/kubelet', KUBELET), ...withChecksum(PLUGINS, TGZ)]),
  )
  registry = await openRegistry(contents)
  image = `${registry.host}/pause:3.10.2`
})
after(async () => {
  await site.close()
  await registry.close()
  rmSync(base, { recursive: true })
})

interface Got {
  readonly kubelet: Buffer
  readonly bridge: Buffer
  readonly archive: Buffer
}

/** All three out of a cache, by lock or without one. */
async function prepare(
  cacheDir: string,
  more: { readonly locked?: boolean; readonly offline?: boolean; readonly onProgress?: OnProgress },
): Promise<Got> {
  const lock = join(base, 'lock')
  const rows = [
    [sha256(KUBELET), 'kubelet v1.36.2 amd64'],
    [sha256(TGZ), 'cni-plugins v1.9.1 amd64'],
    [sha256(contents.get('pause/manifests/3.10.2')?.content ?? ''), image],
  ]
  writeFileSync(lock, more.locked ? rows.map(([digest, name]) => `${digest}  ${name}\n`).join('') : '')
  const found = await prepareComponents({
    version: 'v1.36.2',
    arch: 'amd64',
    besides: ['cni-plugins'],
    images: [image],
    cacheDir,
    lock,
    mirror: site.url,
    offline: more.offline ?? false,
    ...(more.onProgress !== undefined && { onProgress: more.onProgress }),
    limits: QUICK,
    deadline: AbortSignal.timeout(20_000),
  })
  return {
    kubelet: readFileSync(found.kubelet),
    bridge: readFileSync(join(found.cniBinDir ?? '', 'bridge')),
    archive: readFileSync(found.imageArchives[0] ?? ''),
  }
}

async function filled(): Promise<{ readonly cacheDir: string; readonly right: Got }> {
  const cacheDir = mkdtempSync(join(base, 'cache-'))
  chmodSync(cacheDir, 0o755)
  return { cacheDir, right: await prepare(cacheDir, {}) }
}

const record = (file: string, digest: string): void => writeFileSync(`${file}.sha256`, `${digest}  x\n`)
const archivePath = (cacheDir: string): string => imageFile(cacheDir, readReference(image), 'amd64')

/** The image with other layers, that says of itself to be the right one; as much of it as a forger can make fit. */
async function forgeImage(cacheDir: string, keepManifest: boolean): Promise<void> {
  const path = archivePath(cacheDir)
  const index = contents.get('pause/manifests/3.10.2')?.content ?? Buffer.alloc(0)
  const blob = (bytes: Buffer): { digest: string; size: number; content: { bytes: Buffer } } => ({
    digest: digestOf(bytes),
    size: bytes.length,
    content: { bytes },
  })
  const evil = blob(layer('pause', FORGED))
  const config = blob(Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux' })))
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const json = { schemaVersion: 2, mediaType, config: { ...config, content: undefined }, layers: [evil] }
  const manifest = blob(Buffer.from(JSON.stringify(json)))
  const known = [...contents].find(([name]) => name.startsWith('pause/manifests/sha256'))?.[1].content
  const reference = readReference(image)
  await writeImageArchive(path, {
    name: reference.name,
    tag: '3.10.2',
    source: digestOf(index),
    index: blob(index),
    arch: 'amd64',
    mediaType,
    manifest: keepManifest ? blob(known ?? Buffer.alloc(0)) : manifest,
    config,
    layers: [evil],
  })
  record(path, sha256(index))
}

/** What a forger does to a cache; with every text in it that says what a file is, as it would have to be. */
const FORGERIES: readonly (readonly [what: string, forge: (cacheDir: string) => void | Promise<void>])[] = [
  [
    'a kubelet with its record',
    cacheDir => {
      const file = join(cacheDir, 'kubelet/v1.36.2/amd64/kubelet')
      writeFileSync(file, FORGED)
      record(file, sha256(FORGED))
    },
  ],
  [
    'a plugin with its records',
    cacheDir => {
      const bin = join(cacheDir, 'cni-plugins/v1.9.1/amd64/bin')
      writeFileSync(join(bin, 'bridge'), FORGED)
      writeFileSync(`${bin}.sha256`, `${sha256(FORGED)}  bridge\n`)
      writeFileSync(`${bin}.from`, `${sha256(TGZ)}\n`)
    },
  ],
  [
    'a plugin that is a link',
    cacheDir => {
      const file = join(cacheDir, 'cni-plugins/v1.9.1/amd64/bin/bridge')
      rmSync(file)
      writeFileSync(join(cacheDir, 'aside'), BRIDGE)
      symlinkSync(join(cacheDir, 'aside'), file)
    },
  ],
  [
    'an archive of plugins with its record',
    cacheDir => {
      const file = join(cacheDir, 'cni-plugins/v1.9.1/amd64/cni-plugins.tgz')
      const forged = gzipSync(layer('./bridge', FORGED, 0o755))
      writeFileSync(file, forged)
      record(file, sha256(forged))
      writeFileSync(join(dirname(file), 'bin/bridge'), FORGED)
    },
  ],
  ['an image of its own', cacheDir => forgeImage(cacheDir, false)],
  ['an image under the right manifest', cacheDir => forgeImage(cacheDir, true)],
  [
    'an image with a layer more behind its end',
    cacheDir => {
      const path = archivePath(cacheDir)
      const whole = readFileSync(path)
      const more = [tarHeader('index.json', FORGED.length), FORGED, tarPadding(FORGED.length), tarEnd()]
      writeFileSync(path, Buffer.concat([whole.subarray(0, -tarEnd().length), ...more]))
    },
  ],
  ['an image under another name', cacheDir => writeFileSync(archivePath(cacheDir), renamed(archivePath(cacheDir)))],
]

function renamed(path: string): Buffer {
  return Buffer.from(readFileSync(path, 'latin1').replaceAll('/pause:3.10.2', '/pausE:3.10.2'), 'latin1')
}

describe('a forged cache', () => {
  for (const [what, forge] of FORGERIES) {
    for (const locked of [true, false]) {
      test(`${what} is found out, ${locked ? 'by the lock' : 'by its source'}`, async () => {
        const { cacheDir, right } = await filled()
        await forge(cacheDir)
        assert.deepEqual(await prepare(cacheDir, { locked }), right)
      })
    }
    test(`${what} is found out offline, by the lock`, async () => {
      const { cacheDir, right } = await filled()
      await forge(cacheDir)
      const got = await prepare(cacheDir, { locked: true, offline: true }).catch((error: Error) => error.message)
      // What was unpacked can be made again from the archive; the rest cannot be had.
      if (typeof got === 'string') assert.match(got, /with --offline nothing is contacted/)
      else assert.deepEqual(got, right)
    })
  }
})

test('no byte of an archive can be another one; it is said, and the image fetched again', async () => {
  const { cacheDir, right } = await filled()
  const path = archivePath(cacheDir)
  const proven = () => provenImage(path, readReference(image), 'amd64')
  const bytes = readFileSync(path)
  assert.ok(await proven())
  const file = openSync(path, 'r+')
  try {
    // A third of them, which leaves out no field of a header.
    for (let at = 0; at < bytes.length; at += 3) {
      writeSync(file, Buffer.from([(bytes[at] ?? 0) ^ (1 << (at % 8))]), 0, 1, at)
      assert.equal(await proven(), undefined, `byte ${at}`)
      writeSync(file, bytes, at, 1, at)
    }
  } finally {
    closeSync(file)
  }
  assert.ok(await proven())
  for (const length of [0, 511, bytes.length - 1]) {
    truncateSync(path, length)
    assert.equal(await proven(), undefined, `cut to ${length}`)
  }
  const notices: string[] = []
  const onProgress = (progress: Progress): void => void (progress.kind === 'notice' && notices.push(progress.text))
  assert.deepEqual(await prepare(cacheDir, { onProgress }), right)
  assert.ok(notices.includes(`image ${image} in the cache is damaged, or another one: it does not count`))
})

describe('offline and without a lock', () => {
  test('a store of our own is its own record', async () => {
    const { cacheDir, right } = await filled()
    assert.deepEqual(await prepare(cacheDir, { offline: true }), right)
    for (const file of [
      join(cacheDir, 'kubelet/v1.36.2/amd64/kubelet'),
      join(cacheDir, 'cni-plugins/v1.9.1/amd64/cni-plugins.tgz'),
      archivePath(cacheDir),
    ]) {
      const text = readFileSync(`${file}.sha256`)
      rmSync(`${file}.sha256`)
      await assert.rejects(prepare(cacheDir, { offline: true }), /from the cache: with --offline .*there is no record/)
      writeFileSync(`${file}.sha256`, text)
    }
  })

  test('a folder of somebody else is none, unless the lock vouches for what is in it', { skip: NOT_ROOT }, async () => {
    const { cacheDir, right } = await filled()
    chownSync(cacheDir, SOMEBODY, SOMEBODY)
    for (const what of ['kubelet v1.36.2', 'cni-plugins v1.9.1', `image ${image}`]) {
      await assert.rejects(prepare(cacheDir, { offline: true }), (error: Error) => {
        assert.ok(error.message.includes(`cannot use ${what} from the cache`), error.message)
        return /belongs to user 65534/.test(error.message) && /--lock FILE/.test(error.message)
      })
    }
    assert.deepEqual(await prepare(cacheDir, { locked: true, offline: true }), right)
    assert.deepEqual(await prepare(cacheDir, {}), right)
  })

  test('a part that is a link is not written through', async () => {
    const cacheDir = mkdtempSync(join(base, 'cache-'))
    const victim = join(base, 'victim')
    writeFileSync(victim, 'precious')
    const folder = join(cacheDir, 'kubelet/v1.36.2/amd64')
    mkdirSync(folder, { recursive: true })
    symlinkSync(victim, join(folder, `kubelet.${sha256(KUBELET).slice(0, 12)}.999999999.part`))
    symlinkSync(victim, join(folder, `kubelet.${sha256(KUBELET).slice(0, 12)}.${process.pid}.part`))
    symlinkSync(victim, join(folder, `kubelet.sha256.${process.pid}.tmp`))
    assert.ok((await prepare(cacheDir, {})).kubelet.equals(KUBELET))
    assert.equal(readFileSync(victim, 'utf8'), 'precious')
  })
})
