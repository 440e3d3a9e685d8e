import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Download, download } from '../../lib/supply/fetch/download.ts'
import type { Progress } from '../../lib/supply/fetch/fetch-progress.ts'
import type { Limits } from '../../lib/supply/fetch/limits.ts'
import { openNetwork } from '../../lib/supply/fetch/network.ts'
import {
  breakAfter,
  drip,
  type Fault,
  hangUp,
  ignoreRange,
  instead,
  openSite,
  type Site,
  serve,
  sha256,
  silence,
  stall,
  status,
  withChecksum,
} from './download-server.mts'

/** Impatient, so that the tests are quick; the counts are the real ones. */
const QUICK: Partial<Limits> = {
  pauseMs: 1,
  longestPauseMs: 4,
  answerMs: 250,
  stallMs: 200,
  stallBytes: 1000,
  reachMs: 5000,
}

const CONTENT = randomBytes(300_000)
const PATH = '/release/v1.36.2/bin/linux/amd64/kubelet'

interface Attempt {
  readonly site: Site
  readonly folder: string
  readonly file: string
  readonly progress: readonly Progress[]
  readonly error?: Error
}

async function attempt(
  faults: Readonly<Record<string, readonly Fault[]>>,
  more: {
    limits?: Partial<Limits>
    wanted?: Partial<Download>
    before?: (file: string) => void
    deadlineMs?: number
  } = {},
): Promise<Attempt> {
  const site = await openSite(new Map(withChecksum(PATH, CONTENT)))
  const folder = mkdtempSync(join(tmpdir(), 'kubestep download '))
  const file = join(folder, 'kubelet', 'kubelet')
  mkdirSync(dirname(file))
  more.before?.(file)
  for (const [path, list] of Object.entries(faults)) site.fail(path, ...list)
  const progress: Progress[] = []
  const time = new AbortController()
  const timer = more.deadlineMs === undefined ? undefined : setTimeout(() => time.abort(), more.deadlineMs)
  const network = openNetwork({ deadline: time.signal, limits: { ...QUICK, ...more.limits } })
  const wanted = { name: 'kubelet v1.36.2', urls: [`${site.url}${PATH}`], file, mode: 0o755, ...more.wanted }
  try {
    await download(wanted, network, event => progress.push(event))
    return { site, folder, file, progress }
  } catch (error) {
    return { site, folder, file, progress, error: error as Error }
  } finally {
    clearTimeout(timer)
    network.close()
    await site.close()
  }
}

function isWhole({ file, folder, error }: Attempt): void {
  assert.equal(error, undefined)
  assert.ok(readFileSync(file).equals(CONTENT))
  assert.equal(statSync(file).mode & 0o777, 0o755)
  assert.equal(readFileSync(`${file}.sha256`, 'utf8'), `${sha256(CONTENT)}  kubelet\n`)
  assert.deepEqual(readdirSync(dirname(file)).sort(), ['kubelet', 'kubelet.sha256'])
  rmSync(folder, { recursive: true })
}

const ONE = [`${PATH}.sha256`, PATH]
const RECOVERIES: readonly (readonly [
  name: string,
  faults: readonly Fault[],
  requests: readonly string[] | undefined,
])[] = [
  ['a site that works', [], ONE],
  ['status 500', [status(500)], [...ONE, PATH]],
  ['status 503 with Retry-After, twice', [status(503, { 'retry-after': '1' }), status(503)], [...ONE, PATH, PATH]],
  ['status 429', [status(429)], [...ONE, PATH]],
  ['status 400 out of the blue', [status(400)], [...ONE, PATH]],
  ['a connection that is closed before the answer', [hangUp], undefined],
  // Deno itself asks once more on a connection that was kept.
  ['no answer', [silence], undefined],
  ['a broken connection, by a range', [breakAfter(100_000)], [...ONE, `${PATH} bytes=100000-299999`]],
  [
    'two broken connections',
    [breakAfter(100_000), breakAfter(50_000)],
    [...ONE, `${PATH} bytes=100000-299999`, `${PATH} bytes=150000-299999`],
  ],
  ['a range refused with 416', [breakAfter(1000), status(416)], [...ONE, `${PATH} bytes=1000-299999`, PATH]],
  ['a range refused with 400', [breakAfter(1000), status(400)], [...ONE, `${PATH} bytes=1000-299999`, PATH]],
  ['a range that is ignored', [breakAfter(1000), ignoreRange], [...ONE, `${PATH} bytes=1000-299999`]],
  [
    'status 503 for a range',
    [breakAfter(1000), status(503)],
    [...ONE, `${PATH} bytes=1000-299999`, `${PATH} bytes=1000-299999`],
  ],
  ['a transfer that stops', [stall(120_000)], [...ONE, `${PATH} bytes=120000-299999`]],
  ['the wrong content once', [instead(randomBytes(300_000))], [...ONE, PATH]],
  ['a web page once', [instead('<html>log in</html>', 'text/html')], [...ONE, PATH]],
  ['a drip', [drip], undefined],
]

for (const [name, faults, requests] of RECOVERIES) {
  test(`download() gets over ${name}`, async () => {
    const done = await attempt({ [PATH]: faults })
    isWhole(done)
    if (requests !== undefined) assert.deepEqual(done.site.requests, requests)
    const last = done.progress.at(-1)
    assert.deepEqual(last, { kind: 'done', name: 'kubelet v1.36.2', bytes: CONTENT.length, proof: ['checksum'] })
  })
}

const CHECKSUM_FAULTS: readonly (readonly [name: string, fault: Fault])[] = [
  ['status 503', status(503)],
  ['a web page', instead('<html>log in</html>', 'text/html')],
  ['a broken connection', breakAfter(10)],
  ['an empty file', instead('')],
]

for (const [name, fault] of CHECKSUM_FAULTS) {
  test(`download() gets over ${name} instead of the checksum`, async () => {
    isWhole(await attempt({ [`${PATH}.sha256`]: [fault] }))
  })
}

const DEFEATS: readonly (readonly [name: string, faults: readonly Fault[], message: RegExp, requests?: number])[] = [
  ['status 404', Array<Fault>(9).fill(status(404)), /status 404 for http:.*kubelet$/, 1],
  ['status 403', Array<Fault>(9).fill(status(403)), /status 403/, 1],
  ['status 500 for ever', Array<Fault>(9).fill(status(500)), /127.0.0.1:\d+: status 500 .* \(6 tries\)$/, 6],
  ['no answer for ever', Array<Fault>(9).fill(silence), /no answer in 0.25 s \(6 tries\)$/],
  ['a drip for ever', Array<Fault>(9).fill(drip), /only \d+ bytes came in 0.2 s/, 6],
  [
    'the wrong content twice',
    Array<Fault>(9).fill(instead(randomBytes(300_000))),
    /SHA-256 is \w{64} and has to be/,
    2,
  ],
  ['web pages', Array<Fault>(9).fill(instead('<html>', 'text/html')), /it is a web page, perhaps of a proxy/, 2],
  ['redirects in a circle', Array<Fault>(99).fill(status(302, { location: PATH })), /more than 10 redirects/, 11],
  ['a redirect to a file', [status(302, { location: 'file:///etc/passwd' })], /redirects to "file:.*not followed/, 1],
]

for (const [name, faults, message, requests] of DEFEATS) {
  test(`download() gives up on ${name}, and leaves no file`, async () => {
    const { error, file, folder, site } = await attempt({ [PATH]: faults })
    assert.match(error?.message ?? '', message)
    assert.match(error?.message ?? '', /^components: cannot fetch kubelet v1\.36\.2: /)
    assert.equal(existsSync(file), false)
    assert.equal(existsSync(`${file}.sha256`), false)
    if (requests !== undefined)
      assert.equal(site.requests.filter(request => !request.includes('.sha256')).length, requests)
    rmSync(folder, { recursive: true })
  })
}

test('download() goes on as long as every try brings something, however often the connection breaks', async () => {
  const faults = Array<Fault>(20).fill(breakAfter(10_000))
  const done = await attempt({ [PATH]: faults }, { limits: { progressBytes: 5000 } })
  isWhole(done)
  assert.equal(done.site.requests.length, 22)
})

test('download() stops when tries bring next to nothing', async () => {
  const { error, folder, site } = await attempt({ [PATH]: Array<Fault>(99).fill(breakAfter(10)) })
  assert.match(error?.message ?? '', /connection reset|bytes/)
  assert.equal(site.requests.length, 7)
  rmSync(folder, { recursive: true })
})

test('download() stops at its deadline, keeps what came, and goes on from there the next time', async () => {
  const first = await attempt({ [PATH]: [stall(200_000)] }, { deadlineMs: 300, limits: { stallMs: 60_000 } })
  assert.match(first.error?.message ?? '', /cannot fetch kubelet v1\.36\.2: the time is up/)
  const [part = ''] = readdirSync(dirname(first.file))
  assert.match(part, /^kubelet\.[0-9a-f]{12}\.\d+\.part$/)
  const left = readFileSync(join(dirname(first.file), part))
  assert.ok(left.equals(CONTENT.subarray(0, 200_000)))
  const second = await attempt({}, { before: file => writeFileSync(join(dirname(file), part), left) })
  assert.deepEqual(second.site.requests, [`${PATH}.sha256`, `${PATH} bytes=200000-`])
  isWhole(second)
  rmSync(first.folder, { recursive: true })
})

test('download() takes over what a killed process left, whole or not, and clears what does not fit', async () => {
  const name = (content: Buffer): string => `kubelet.${sha256(content).slice(0, 12)}.999999999.part`
  const whole = await attempt({}, { before: file => writeFileSync(join(dirname(file), name(CONTENT)), CONTENT) })
  assert.deepEqual(whole.site.requests, [`${PATH}.sha256`])
  isWhole(whole)
  const other = randomBytes(10)
  const foreign = await attempt({}, { before: file => writeFileSync(join(dirname(file), name(other)), other) })
  assert.deepEqual(foreign.site.requests, ONE)
  isWhole(foreign)
  const damaged = await attempt(
    {},
    { before: file => writeFileSync(join(dirname(file), name(CONTENT)), randomBytes(1000)) },
  )
  assert.deepEqual(damaged.site.requests, [`${PATH}.sha256`, `${PATH} bytes=1000-`, PATH])
  isWhole(damaged)
})

test('download() asks the next source when one does not have the file or does not answer', async () => {
  const other = await openSite(new Map(withChecksum('/copy/kubelet', CONTENT)))
  const gone = 'http://127.0.0.1:1/kubelet'
  const done = await attempt({}, { wanted: { urls: [gone, `${other.url}/nowhere`, `${other.url}/copy/kubelet`] } })
  isWhole(done)
  assert.deepEqual(
    done.progress.filter(({ kind }) => kind === 'retry').map(event => (event as { reason: string }).reason),
    [
      '127.0.0.1:1: connection refused',
      `${new URL(other.url).host}: status 404 for ${other.url}/nowhere.sha256`,
      '127.0.0.1:1: connection refused',
      `${new URL(other.url).host}: status 404 for ${other.url}/nowhere`,
    ],
  )
  await other.close()
})

test('download() says why the disk does not take the file', async () => {
  const file = join(fileURLToPath(import.meta.url), 'kubelet')
  const { error, folder } = await attempt({}, { wanted: { file } })
  assert.match(error?.message ?? '', /^components: cannot write ".*\/kubelet": a part of the path is not a folder/)
  rmSync(folder, { recursive: true })
})

test('download() follows redirects, with the range', async () => {
  const far = await openSite(new Map([['/far', CONTENT]]))
  far.fail('/far', breakAfter(1000))
  const to = status(302, { location: `${far.url}/far` })
  const done = await attempt({ [PATH]: [to, to] })
  isWhole(done)
  assert.deepEqual(far.requests, ['/far', '/far bytes=1000-299999'])
  await far.close()
})

test('download() shows its progress in bytes', async () => {
  const { progress, folder } = await attempt({ [PATH]: [serve] })
  const bytes = progress.filter(event => event.kind === 'bytes')
  assert.deepEqual(bytes[0], { kind: 'bytes', name: 'kubelet v1.36.2', received: 0, total: CONTENT.length })
  assert.deepEqual(bytes.at(-1), {
    kind: 'bytes',
    name: 'kubelet v1.36.2',
    received: CONTENT.length,
    total: CONTENT.length,
  })
  rmSync(folder, { recursive: true })
})
