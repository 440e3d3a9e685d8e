import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { bringComponents, prepareComponents } from '../../lib/supply/components/fetch-components.ts'
import { fileSource } from '../../lib/supply/fetch/byte-source.ts'
import type { Progress } from '../../lib/supply/fetch/fetch-progress.ts'
import type { Limits } from '../../lib/supply/fetch/limits.ts'
import { readTar } from '../../lib/supply/fetch/tar.ts'
import { archiveImages } from '../archives.ts'
import {
  addImage,
  type Contents,
  DOCKER_LIST,
  DOCKER_MANIFEST,
  layer,
  OCI_INDEX,
  OCI_MANIFEST,
  openRegistry,
  type Registry,
} from './download-registry-server.mts'
import { breakAfter, instead, openSite, serve, sha256, status, withChecksum } from './download-server.mts'

const QUICK: Partial<Limits> = { pauseMs: 1, longestPauseMs: 4, answerMs: 2000, reachMs: 4000 }

const BASE = layer('etc/passwd', Buffer.from('root:x:0:0::/:/\n'))
const AMD64 = [BASE, layer('pause', randomBytes(150_000), 0o755)]
const ARM64 = [BASE, layer('pause', randomBytes(150_000), 0o755)]

function contents(types?: { index?: string; manifest: string }): Contents {
  const made: Contents = new Map()
  const images = [
    { arch: 'amd64', layers: AMD64 },
    { arch: 'arm64', layers: ARM64 },
  ]
  addImage(made, 'pause', '3.10.2', images, types)
  addImage(
    made,
    'coredns/coredns',
    'v1.14.2',
    [{ arch: 'amd64', layers: [BASE, layer('coredns', randomBytes(9000))] }],
    types,
  )
  return made
}

interface Fetched {
  readonly cacheDir: string
  readonly archives: readonly string[]
  readonly message: string
  readonly progress: readonly Progress[]
}

async function fetchImages(images: readonly string[], arch = 'amd64', cacheDir = temporary()): Promise<Fetched> {
  const kubelet = randomBytes(100)
  const site = await openSite(new Map(withChecksum(`/release/v1.36.2/bin/linux/${arch}/kubelet`, kubelet)))
  const progress: Progress[] = []
  const preparation = {
    version: 'v1.36.2',
    arch,
    besides: [],
    images,
    mirror: site.url,
    cacheDir,
    limits: QUICK,
    lock: '/dev/null',
  }
  const deadline = new AbortController().signal
  try {
    const onProgress = (event: Progress): void => void progress.push(event)
    const { imageArchives } = await prepareComponents({ ...preparation, deadline, onProgress })
    return { cacheDir, archives: imageArchives, message: '', progress }
  } catch (error) {
    return { cacheDir, archives: [], message: (error as Error).message, progress }
  } finally {
    await site.close()
  }
}

function temporary(): string {
  return mkdtempSync(join(tmpdir(), 'kubestep images '))
}

/** Everything in an archive, by name. */
async function entries(path: string): Promise<Map<string, Buffer>> {
  const file = await open(path)
  const found = new Map<string, Buffer>()
  for await (const { name, content } of readTar(fileSource(file), path)) {
    const chunks: Uint8Array[] = []
    for await (const chunk of content()) chunks.push(chunk)
    found.set(name, Buffer.concat(chunks))
  }
  await file.close()
  return found
}

async function isImage(path: string, name: string, layers: readonly Buffer[], mediaType: string): Promise<void> {
  assert.deepEqual(await archiveImages(path), [name])
  const found = await entries(path)
  for (const [entry, content] of found) {
    if (entry.startsWith('blobs/')) assert.equal(entry, `blobs/sha256/${sha256(content)}`)
  }
  const read = (entry: string): ReturnType<typeof JSON.parse> => JSON.parse(found.get(entry)?.toString() ?? '')
  const blob = (digest: string): ReturnType<typeof JSON.parse> => read(`blobs/${digest.replace(':', '/')}`)
  assert.deepEqual(read('oci-layout'), { imageLayoutVersion: '1.0.0' })
  const [top] = read('index.json').manifests
  assert.equal(top.mediaType, mediaType)
  assert.equal(top.annotations['io.containerd.image.name'], name)
  const manifest = blob(top.digest)
  assert.deepEqual(
    blob(manifest.config.digest).rootfs.diff_ids,
    layers.map(content => `sha256:${sha256(content)}`),
  )
  const [docker] = read('manifest.json')
  assert.deepEqual(docker.RepoTags, [name])
  assert.equal(docker.Config, `blobs/${manifest.config.digest.replace(':', '/')}`)
  assert.equal(docker.Layers.length, layers.length)
  for (const path of docker.Layers) assert.ok(found.has(path))
}

const KINDS: readonly (readonly [name: string, types: { index?: string; manifest: string }])[] = [
  ['an OCI index', { index: OCI_INDEX, manifest: OCI_MANIFEST }],
  ['a docker manifest list', { index: DOCKER_LIST, manifest: DOCKER_MANIFEST }],
  ['a manifest alone', { manifest: DOCKER_MANIFEST }],
]

for (const [name, types] of KINDS) {
  test(`images come from ${name}, and a second run needs no network`, async () => {
    const registry = await openRegistry(contents(types))
    const names = [`${registry.host}/pause:3.10.2`, `${registry.host}/coredns/coredns:v1.14.2`]
    const { cacheDir, archives, message, progress } = await fetchImages(names)
    assert.equal(message, '')
    await isImage(archives[0] ?? '', names[0] ?? '', AMD64, types.manifest)
    assert.deepEqual(await archiveImages(archives[1] ?? ''), [names[1]])
    // The layer that both have came once, and nothing but archives is kept.
    assert.equal(new Set(registry.requests).size, registry.requests.length)
    assert.deepEqual(blobs(cacheDir), [])
    assert.equal(progress.filter(({ kind }) => kind === 'done').length, 3)
    await registry.close()
    const again = await fetchImages(names, 'amd64', cacheDir)
    assert.deepEqual(again.archives, archives)
    rmSync(cacheDir, { recursive: true })
  })
}

function blobs(cacheDir: string): readonly string[] {
  const folder = join(cacheDir, 'blobs/sha256')
  return existsSync(folder) ? readdirSync(folder) : []
}

test('bringComponents() gives programs and each image while others are on their way, and of a fault everything', async () => {
  const made = contents()
  const registry = await openRegistry(made)
  const kubelet = randomBytes(100)
  const site = await openSite(new Map(withChecksum('/release/v1.36.2/bin/linux/amd64/kubelet', kubelet)))
  const [pause, coredns] = [`${registry.host}/pause:3.10.2`, `${registry.host}/coredns/coredns:v1.14.2`] as const
  const layers = [...made].filter(
    ([path, { content }]) => path.startsWith('coredns/coredns/blobs/') && content.length > 5000,
  )
  assert.equal(layers.length, 1)
  let go = (): void => {}
  const held = new Promise<void>(resolve => {
    go = resolve
  })
  for (const [path] of layers) {
    registry.fail(path, (request, response, content) => void held.then(() => serve(request, response, content)))
  }
  const wish = { version: 'v1.36.2', arch: 'amd64', besides: [], images: [pause, coredns], lock: '/dev/null' } as const
  const fetching = { mirror: site.url, limits: QUICK, deadline: new AbortController().signal }
  const cacheDir = temporary()
  const coming = bringComponents({ ...wish, ...fetching, cacheDir })
  let isOver = false
  const last = coming.archive(coredns).then(path => {
    isOver = true
    return path
  })
  assert.ok(readFileSync((await coming.programs).kubelet).equals(kubelet))
  assert.deepEqual(await archiveImages(await coming.archive(pause)), [pause])
  assert.equal(isOver, false)
  go()
  assert.deepEqual(await archiveImages(await last), [coredns])
  assert.equal((await coming.all).imageArchives.length, 2)

  // One that nobody has is told before anything of the rest is used, with what else is wrong.
  const [absent, other] = [`${registry.host}/absent:1`, `${registry.host}/pause:9`] as const
  const wrong = bringComponents({
    ...wish,
    images: [pause, absent, other],
    ...fetching,
    cacheDir: join(cacheDir, 'wrong'),
  })
  for (const part of [wrong.programs, wrong.archive(absent), wrong.all]) {
    await assert.rejects(part, ({ message }: Error) => message.includes(absent) && message.includes(other))
  }
  await registry.close()
  await site.close()
  rmSync(cacheDir, { recursive: true })
})

test('images come with a token, which is not shown to the storage that blobs lie in', async () => {
  const made = contents()
  const storage = await openRegistry(made, { isStorage: true })
  const registry = await openRegistry(made, { token: 'secret', storage: storage.host })
  const name = `${registry.host}/pause:3.10.2`
  const { cacheDir, archives, message } = await fetchImages([name], 'arm64')
  assert.equal(message, '')
  await isImage(archives[0] ?? '', name, ARM64, OCI_MANIFEST)
  assert.ok(registry.requests.includes('/token?service=tests&scope=repository%3Apause%3Apull'))
  assert.equal(storage.requests.length, 3)
  await registry.close()
  await storage.close()
  rmSync(cacheDir, { recursive: true })
})

test('images come in spite of faults on the way', async () => {
  const made = contents()
  const registry = await openRegistry(made, { token: 'secret' })
  const big =
    [...made].find(([path, { content }]) => path.startsWith('pause/blobs/') && content.length > 100_000)?.[0] ?? ''
  registry.fail('pause/manifests/3.10.2', status(503), breakAfter(10), instead('<html>'))
  registry.fail(big, breakAfter(50_000), status(400), instead(randomBytes(100)))
  const name = `${registry.host}/pause:3.10.2`
  const { cacheDir, archives, message } = await fetchImages([name])
  assert.equal(message, '')
  await isImage(archives[0] ?? '', name, AMD64, OCI_MANIFEST)
  await registry.close()
  rmSync(cacheDir, { recursive: true })
})

const DEFEATS: readonly (readonly [
  what: string,
  image: string,
  prepare: (registry: Registry, made: Contents) => void,
  message: RegExp,
])[] = [
  [
    'a tag that is not there',
    'pause:9',
    () => {},
    /cannot fetch image 127.*\/pause:9: .*status 404 for http.*check that/,
  ],
  [
    'an image for other machines alone',
    'coredns/coredns:v1.14.2',
    () => {},
    /cannot use image ".*coredns:v1\.14\.2": it is not for linux\/arm64 but for unknown\/unknown, linux\/amd64/,
  ],
  [
    'a manifest that is not what its digest says',
    'pause:3.10.2',
    (registry, made) => {
      for (const path of made.keys()) {
        if (path.startsWith('pause/manifests/sha256')) registry.fail(path, ...Array(9).fill(instead('{}')))
      }
    },
    /cannot fetch image .*pause:3\.10\.2: .*the digest is sha256:/,
  ],
  [
    'blobs that are not what their digest says',
    'pause:3.10.2',
    (registry, made) => {
      for (const [path, { content }] of made) {
        if (path.startsWith('pause/blobs')) registry.fail(path, ...Array(9).fill(instead(randomBytes(content.length))))
      }
    },
    /cannot fetch image .*pause:3\.10\.2: .*SHA-256 is .* and has to be/,
  ],
  [
    'a manifest of a kind that is not known',
    'pause:3.10.2',
    (_, made) => {
      made.set('pause/manifests/3.10.2', {
        type: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
        content: Buffer.from('{}'),
      })
    },
    /its manifest is of type "application\/vnd\.docker\.distribution\.manifest\.v1\+prettyjws"/,
  ],
  [
    'a registry that wants a password',
    'pause:3.10.2',
    registry => registry.fail('pause/manifests/3.10.2', status(401, { 'www-authenticate': 'Basic realm="x"' })),
    /status 401 for http.*: it wants a login, and there is none for it \(docker login 127/,
  ],
]

for (const [what, image, prepare, expected] of DEFEATS) {
  test(`${what}: one message, and no archive`, async () => {
    const made = contents()
    const registry = await openRegistry(made)
    prepare(registry, made)
    const { cacheDir, message } = await fetchImages([`${registry.host}/${image}`], 'arm64')
    assert.match(message, expected)
    assert.equal(message.split('\n').length, 1)
    assert.ok(
      !existsSync(join(cacheDir, 'images')) ||
        !JSON.stringify(readdirSync(join(cacheDir, 'images'), { recursive: true })).includes('.tar'),
    )
    await registry.close()
    rmSync(cacheDir, { recursive: true })
  })
}

test('a single image for the wrong machine is refused by its configuration', async () => {
  const registry = await openRegistry(contents({ manifest: DOCKER_MANIFEST }))
  const { cacheDir, message } = await fetchImages([`${registry.host}/pause:3.10.2`], 'arm64')
  assert.match(message, /^images: cannot use image ".*": it is for amd64 and this has to be arm64/)
  await registry.close()
  rmSync(cacheDir, { recursive: true })
})

test('a damaged archive in the cache is fetched again', async () => {
  const registry = await openRegistry(contents())
  const name = `${registry.host}/pause:3.10.2`
  const { cacheDir, archives } = await fetchImages([name])
  const [archive = ''] = archives
  const before = readFileSync(archive)
  writeFileSync(archive, before.subarray(0, 1000))
  await fetchImages([name], 'amd64', cacheDir)
  assert.ok(readFileSync(archive).equals(before))
  await registry.close()
  rmSync(cacheDir, { recursive: true })
})
