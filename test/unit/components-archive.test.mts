import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { isUnpacked, unpack } from '../../lib/supply/components/program-archive.ts'
import { fileSource, streamSource } from '../../lib/supply/fetch/byte-source.ts'
import { type ByteSource, readTar, tarEnd, tarHeader, tarPadding } from '../../lib/supply/fetch/tar.ts'
import { writeImageArchive } from '../../lib/supply/registry/write-image-archive.ts'
import { archiveImages } from '../archives.ts'

function temporary(): string {
  return mkdtempSync(join(tmpdir(), 'kubestep archive '))
}

type Row = readonly [name: string, kind: string, content: string]

async function rows(source: ByteSource, name = 'x.tar'): Promise<Row[]> {
  const found: Row[] = []
  for await (const entry of readTar(source, name)) {
    const chunks: Uint8Array[] = []
    // Every other one is left unread, as a reader may.
    if (found.length % 2 === 0) for await (const chunk of entry.content()) chunks.push(chunk)
    found.push([entry.name, entry.kind, Buffer.concat(chunks).toString('hex')])
  }
  return found
}

async function* slices(bytes: Buffer, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}

function sample(): { readonly folder: string; readonly long: string; readonly content: Buffer } {
  const folder = temporary()
  const long = `${'deep/'.repeat(30)}${'n'.repeat(90)}é`
  const content = randomBytes(3000)
  mkdirSync(join(folder, 'in', long, '..'), { recursive: true })
  writeFileSync(join(folder, 'in', long), content)
  writeFileSync(join(folder, 'in', 'short'), content)
  writeFileSync(join(folder, 'in', 'block'), Buffer.alloc(512, 'x'))
  writeFileSync(join(folder, 'in', 'empty'), '')
  return { folder, long, content }
}

for (const format of ['gnu', 'pax', 'ustar']) {
  test(`readTar() reads what tar writes as ${format}, from a file and from a stream`, async () => {
    const { folder, long, content } = sample()
    const name = format === 'ustar' ? 'short' : long
    const path = join(folder, 'a.tar')
    execFileSync('tar', [
      '-c',
      `--format=${format}`,
      '-f',
      path,
      '-C',
      join(folder, 'in'),
      `./${name}`,
      './block',
      './empty',
    ])
    const expected: Row[] = [
      [name, 'file', content.toString('hex')],
      ['block', 'file', ''],
      ['empty', 'file', ''],
    ]
    const file = await open(path)
    assert.deepEqual(await rows(fileSource(file)), expected)
    await file.close()
    for (const length of [1, 511, 4096, 1 << 20]) {
      assert.deepEqual(await rows(streamSource(slices(readFileSync(path), length))), expected)
    }
    rmSync(folder, { recursive: true })
  })
}

test('readTar() finds a cut and a damaged archive out', async () => {
  const { folder } = sample()
  const path = join(folder, 'a.tar')
  execFileSync('tar', ['-c', '-f', path, '-C', join(folder, 'in'), './block', './deep'])
  const whole = readFileSync(path)
  const end = whole.lastIndexOf(Buffer.from('x'))
  assert.ok(end > 0)
  const read = (bytes: Buffer): Promise<Row[]> => rows(streamSource(slices(bytes, 1000)), 'a.tar')
  await assert.rejects(
    read(whole.subarray(0, 700)),
    /archive: cannot read "a\.tar": it is cut short; fetch or make it again/,
  )
  await assert.rejects(read(whole.subarray(0, 100)), /it is cut short/)
  await assert.rejects(read(Buffer.alloc(0)), /it is empty/)
  await assert.rejects(read(randomBytes(10_000)), /it is not a tar archive, or damaged/)
  const flipped = Buffer.from(whole)
  flipped[3] = (flipped[3] ?? 0) ^ 1
  await assert.rejects(read(flipped), /it is not a tar archive, or damaged/)
  // By seeking, too.
  writeFileSync(path, whole.subarray(0, 700))
  const file = await open(path)
  await assert.rejects(rows(fileSource(file)), /it is cut short/)
  await file.close()
  rmSync(folder, { recursive: true })
})

test('tarHeader() writes what tar reads', () => {
  const folder = temporary()
  const path = join(folder, 'a.tar')
  const content = randomBytes(700)
  const parts = [tarHeader('bin/tool', content.length, 0o755), content, tarPadding(content.length), tarEnd()]
  writeFileSync(path, Buffer.concat(parts))
  execFileSync('tar', ['-x', '-f', path, '-C', folder])
  assert.ok(readFileSync(join(folder, 'bin/tool')).equals(content))
  assert.equal(statSync(join(folder, 'bin/tool')).mode & 0o777, 0o755)
  assert.throws(() => tarHeader('n'.repeat(101), 0), RangeError)
  rmSync(folder, { recursive: true })
})

test('unpack() takes the files at the top alone, whatever else is in the archive', async () => {
  const folder = temporary()
  mkdirSync(join(folder, 'in/sub'), { recursive: true })
  for (const name of ['bridge', 'loopback', 'sub/inner']) writeFileSync(join(folder, 'in', name), name)
  execFileSync('ln', ['-s', '/etc/passwd', join(folder, 'in/link')])
  writeFileSync(join(folder, 'outside'), 'outside')
  const archive = join(folder, 'a.tgz')
  execFileSync('tar', [
    '-c',
    '-z',
    '-P',
    '-f',
    archive,
    '-C',
    join(folder, 'in'),
    '.',
    '../outside',
    join(folder, 'outside'),
  ])
  const target = join(folder, 'out/bin')
  await unpack(archive, target)
  assert.deepEqual(readdirSync(target).sort(), ['bridge', 'loopback'])
  assert.equal(statSync(join(target, 'bridge')).mode & 0o777, 0o755)
  assert.deepEqual(readdirSync(join(folder, 'out')).sort(), ['bin'])
  assert.equal(await isUnpacked(archive, target), true)
  await unpack(archive, target)
  assert.equal(await isUnpacked(archive, target), true)
  writeFileSync(join(target, 'bridge'), 'Bridge')
  assert.equal(await isUnpacked(archive, target), false)
  assert.equal(await isUnpacked(archive, join(folder, 'in')), false)
  rmSync(folder, { recursive: true })
})

test('unpack() keeps what was there when the archive is cut short', async () => {
  const folder = temporary()
  writeFileSync(join(folder, 'bridge'), randomBytes(100_000))
  const archive = join(folder, 'a.tgz')
  execFileSync('tar', ['-c', '-z', '-f', archive, '-C', folder, './bridge'])
  const target = join(folder, 'out/bin')
  await unpack(archive, target)
  const whole = readFileSync(archive)
  writeFileSync(archive, whole.subarray(0, 50_000))
  await assert.rejects(unpack(archive, target), /archive: cannot unpack ".*a\.tgz": .*; fetch it again/)
  writeFileSync(archive, whole)
  assert.equal(await isUnpacked(archive, target), true)
  assert.deepEqual(readdirSync(join(folder, 'out')).sort(), ['bin'])
  await assert.rejects(unpack(join(folder, 'none.tgz'), target), /cannot unpack ".*none\.tgz"/)
  rmSync(folder, { recursive: true })
})

function tar(path: string, files: Readonly<Record<string, string | Buffer>>): string {
  const parts = Object.entries(files).flatMap(([name, content]) => {
    const bytes = Buffer.from(content)
    return [tarHeader(name, bytes.length), bytes, tarPadding(bytes.length)]
  })
  writeFileSync(path, Buffer.concat([...parts, tarEnd()]))
  return path
}

test('archiveImages() reads docker and OCI archives, wherever the list stands', async () => {
  const folder = temporary()
  const path = join(folder, 'a.tar')
  const big = randomBytes(2_000_000)
  const docker = JSON.stringify([{ RepoTags: ['busybox:1', 'a.example/b:2'] }, { RepoTags: null }, {}])
  assert.deepEqual(await archiveImages(tar(path, { 'layer.tar': big, 'manifest.json': docker })), [
    'busybox:1',
    'a.example/b:2',
  ])
  const index = JSON.stringify({
    manifests: [
      { annotations: { 'io.containerd.image.name': 'a.example/c:1', 'org.opencontainers.image.ref.name': '1' } },
      { annotations: { 'org.opencontainers.image.ref.name': 'a.example/d:1' } },
      { annotations: { 'org.opencontainers.image.ref.name': '1' } },
      {},
    ],
  })
  assert.deepEqual(await archiveImages(tar(path, { './index.json': index, 'blobs/x': big })), [
    'a.example/c:1',
    'a.example/d:1',
  ])
  assert.deepEqual(await archiveImages(tar(path, { 'index.json': '{}', 'manifest.json': '[]' })), [])
  await assert.rejects(
    archiveImages(tar(path, { x: 'y' })),
    /images: cannot use ".*": it is not an image archive .*docker save/,
  )
  await assert.rejects(archiveImages(tar(path, { 'manifest.json': '{' })), /its manifest\.json is damaged/)
  await assert.rejects(archiveImages(join(folder, 'none.tar')), /images: cannot read ".*none\.tar": it does not exist/)
  writeFileSync(path, Buffer.from([0x1f, 0x8b, 8, 0]))
  assert.equal(await archiveImages(path), undefined)
  rmSync(folder, { recursive: true })
})

test('writeImageArchive() leaves nothing when a blob is not what it was', async () => {
  const folder = temporary()
  writeFileSync(join(folder, 'layer'), 'shorter')
  const sum = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`
  const bytes = (text: string) => ({ digest: sum(text), size: text.length, content: { bytes: Buffer.from(text) } })
  const image = {
    name: 'a.example/b:1',
    tag: '1',
    source: sum('index'),
    arch: 'amd64',
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    manifest: bytes('{}'),
    config: bytes('{"a":1}'),
    layers: [{ digest: sum('x'), size: 100, content: { file: join(folder, 'layer') } }],
  }
  await assert.rejects(writeImageArchive(join(folder, 'out/a.tar'), image), /layer has changed/)
  assert.deepEqual(readdirSync(join(folder, 'out')), [])
  rmSync(folder, { recursive: true })
})
