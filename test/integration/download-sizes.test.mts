/** Sizes that strangers tell: what declares little and sends much, what unpacks without end, what never ends. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { unpack } from '../../lib/supply/components/program-archive.ts'
import { streamSource } from '../../lib/supply/fetch/byte-source.ts'
import { download } from '../../lib/supply/fetch/download.ts'
import { fetchText } from '../../lib/supply/fetch/http-answer.ts'
import type { Limits } from '../../lib/supply/fetch/limits.ts'
import { contentsOf } from '../../lib/supply/fetch/manifest.ts'
import { openNetwork } from '../../lib/supply/fetch/network.ts'
import { readReference } from '../../lib/supply/fetch/reference.ts'
import { checkSpace } from '../../lib/supply/fetch/space.ts'
import { readTar, tarEnd, tarHeader } from '../../lib/supply/fetch/tar.ts'
import { archiveImages } from '../archives.ts'
import { type Fault, openSite, sha256 } from './download-server.mts'

const QUICK: Partial<Limits> = { pauseMs: 1, longestPauseMs: 4, answerMs: 2000, reachMs: 4000, tries: 3 }
const MIB = 1024 * 1024
const base = mkdtempSync(join(tmpdir(), 'kubestep sizes '))
after(() => rmSync(base, { recursive: true }))

/** Zeros until somebody stops listening; says how many were taken. */
function flood(headers: Record<string, string>, sent: { bytes: number }, code = 200): Fault {
  return (_, response) => {
    response.writeHead(code, headers)
    const more = (): void => {
      while (!response.destroyed && sent.bytes < 512 * MIB) {
        sent.bytes += MIB
        if (!response.write(Buffer.alloc(MIB))) return void response.once('drain', more)
      }
      response.end()
    }
    more()
  }
}

const FLOODS: readonly (readonly [
  what: string,
  headers: Record<string, string>,
  limits: Partial<Limits>,
  size: number | undefined,
  message: RegExp,
])[] = [
  ['a blob of which the manifest says 100 bytes, and nobody else a word', {}, {}, 100, /it sends more than 100 bytes/],
  [
    'a blob of which the manifest says 100 bytes, and the server 64 MiB',
    { 'content-length': String(64 * MIB) },
    {},
    100,
    /it has 67108864 bytes and has to have 100 /,
  ],
  ['a file without an end', {}, { fileBytes: 5 * MIB }, undefined, /it sends more than 5242880 bytes/],
  [
    'a file that is far too large',
    { 'content-length': '99999999999' },
    {},
    undefined,
    /it has 99999999999 bytes, and 1073741824 are the most/,
  ],
]

describe('download()', () => {
  for (const [what, headers, limits, size, message] of FLOODS) {
    test(`cuts off ${what}`, async () => {
      const sent = { bytes: 0 }
      const site = await openSite(new Map())
      site.fail('/file', ...Array(9).fill(flood(headers, sent)))
      const folder = mkdtempSync(join(base, 'flood-'))
      const network = openNetwork({ deadline: AbortSignal.timeout(20_000), limits: { ...QUICK, ...limits } })
      const wanted = { name: 'file', urls: [`${site.url}/file`], file: join(folder, 'file'), mode: 0o644 }
      try {
        const sized = { ...wanted, checksum: sha256('x'), ...(size !== undefined && { size }) }
        await assert.rejects(
          download(sized, network, () => {}),
          message,
        )
        assert.deepEqual(readdirSync(folder), [])
        // Three tries, and what was on its way in each.
        assert.ok(sent.bytes < 100 * MIB, `${sent.bytes} bytes were sent`)
      } finally {
        network.close()
        await site.close()
      }
    })
  }

  test('reads neither a text nor a redirect that has no end', async () => {
    const sent = { bytes: 0 }
    const site = await openSite(new Map([['/there', Buffer.from('text')]]))
    site.fail('/text', ...Array(9).fill(flood({}, sent)))
    site.fail('/from', flood({ location: '/there' }, sent, 302))
    site.fail('/round', ...Array(99).fill(flood({ location: '/round' }, sent, 302)))
    const network = openNetwork({ deadline: AbortSignal.timeout(20_000), limits: QUICK })
    const get = (path: string): Promise<string> => {
      const what = { subject: 'text', urls: [`${site.url}${path}`] }
      return fetchText(what, network, { read: text => text, kind: 'text' })
    }
    try {
      await assert.rejects(get('/text'), /more than 4194304 bytes/)
      assert.equal(await get('/from'), 'text')
      await assert.rejects(get('/round'), /more than 10 redirects/)
      assert.ok(sent.bytes < 200 * MIB, `${sent.bytes} bytes were sent`)
    } finally {
      network.close()
      await site.close()
    }
  })
})

test('unpack() ends a bomb at its limit, wherever in the archive it goes off', async () => {
  const bomb = (size: number, ...names: readonly string[]): string => {
    const path = join(mkdtempSync(join(base, 'bomb-')), 'a.tgz')
    const parts = names.flatMap(name => [tarHeader(name, size), Buffer.alloc(size)])
    writeFileSync(path, gzipSync(Buffer.concat([...parts, tarEnd()])))
    return path
  }
  for (const archive of [bomb(8 * MIB, 'bridge'), bomb(8 * MIB, 'deep/down'), bomb(MIB, 'a', 'b', 'c', 'd', 'e')]) {
    const folder = join(archive, '../out/bin')
    await assert.rejects(unpack(archive, folder, 4 * MIB), /cannot unpack .*: more than 4194304 bytes come out of it/)
    assert.deepEqual(readdirSync(join(folder, '..')), [])
  }
  const fitting = bomb(MIB, 'a', 'b')
  await unpack(fitting, join(fitting, '../out/bin'), 4 * MIB)
})

/** A tar with one header, whose field for the size holds that. */
function withSize(field: Buffer, type = '0'): Buffer {
  const header = Buffer.from(tarHeader('index.json', 0))
  field.copy(header, 124)
  header.write(type, 156)
  header.fill(' ', 148, 156)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return header
}

const pax = (size: string): Buffer => {
  const record = `size=${size}\n`
  const length = record.length + String(record.length + 3).length + 1
  const text = `${length} ${record}`
  const body = Buffer.alloc(512)
  body.write(text)
  const head = withSize(Buffer.from(`${text.length.toString(8).padStart(11, '0')}\0`), 'x')
  return Buffer.concat([head, body, tarHeader('index.json', 0)])
}

const SIZES: readonly (readonly [what: string, archive: Buffer])[] = [
  ['in base 256, of all bits', withSize(Buffer.alloc(12, 0xff))],
  ['below zero, in base 256', withSize(Buffer.concat([Buffer.from([0xff]), Buffer.alloc(10, 0xff), Buffer.from([0])]))],
  ['that is not a number', withSize(Buffer.from('zzzzzzzzzzz\0'))],
  ['of pax below zero', pax('-1')],
  ['of pax with an exponent', pax('1e15')],
  ['of pax with twenty digits', pax('99999999999999999999')],
  ['of pax that stays where it is', pax('5\n0 a=b')],
  ['of a long name', withSize(Buffer.from('77777777777\0'), 'L')],
]

describe('readTar()', () => {
  for (const [what, archive] of SIZES) {
    test(`refuses a size ${what}`, async () => {
      const stream = async function* (): AsyncGenerator<Buffer> {
        yield archive
      }
      await assert.rejects(async () => {
        for await (const { content } of readTar(streamSource(stream()), 'a.tar')) {
          for await (const _ of content());
        }
      }, /archive: cannot read "a\.tar": (an entry has an impossible size|a header is too long|it is cut short)/)
    })
  }

  test('skips what it is told in pieces, so that memory does not grow with it', async () => {
    const stream = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from(tarHeader('big', 300 * MIB))
      for (let sent = 0; sent < 300; sent++) yield Buffer.alloc(MIB)
      yield Buffer.from(tarEnd())
    }
    const before = process.memoryUsage.rss()
    for await (const { name } of readTar(streamSource(stream()), 'a.tar')) assert.equal(name, 'big')
    assert.ok(process.memoryUsage.rss() - before < 200 * MIB)
  })
})

test('archiveImages() does not read a list of a gigabyte', async () => {
  const path = join(base, 'list.tar')
  writeFileSync(path, tarHeader('index.json', 1024 * MIB))
  await assert.rejects(archiveImages(path), /its index\.json has 1073741824 bytes/)
})

const DESCRIPTOR = { digest: `sha256:${'a'.repeat(64)}`, size: 5 }
const MANIFESTS: readonly (readonly [what: string, config: object, layers: readonly object[], message: RegExp])[] = [
  ['a layer of less than nothing', DESCRIPTOR, [{ ...DESCRIPTOR, size: -1 }], /which is not known/],
  ['a layer of half a byte', DESCRIPTOR, [{ ...DESCRIPTOR, size: 0.5 }], /which is not known/],
  ['a layer of more than there is', DESCRIPTOR, [{ ...DESCRIPTOR, size: 1e300 }], /which is not known/],
  ['a million layers', DESCRIPTOR, Array(1e6).fill(DESCRIPTOR), /it has 1000000 layers, and 500 are the most/],
  ['a configuration of a gigabyte', { ...DESCRIPTOR, size: 1e9 }, [], /its configuration has 1000000000 bytes/],
]

for (const [what, config, layers, message] of MANIFESTS) {
  test(`contentsOf() refuses ${what}`, () => {
    const json = { config, layers } as unknown as Parameters<typeof contentsOf>[1]
    assert.throws(
      () => contentsOf('application/vnd.oci.image.manifest.v1+json', json, readReference('a.example/b:1')),
      message,
    )
  })
}

test('checkSpace() asks the disk before anything is put there', () => {
  const { bavail, bsize } = statfsSync(base)
  checkSpace(join(base, 'file'), 1)
  assert.throws(
    () => checkSpace(join(base, 'file'), bavail * bsize * 2),
    /^KubestepError: components: cannot write ".*file": no space left on the device: it needs \d+ MB and \d+ MB are free/,
  )
})
