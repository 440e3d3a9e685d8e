/** What shows that a file is the right one: the lock, and signatures by a chain of the test's own. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { prepareComponents } from '../../lib/supply/components/fetch-components.ts'
import { download } from '../../lib/supply/fetch/download.ts'
import type { Progress } from '../../lib/supply/fetch/fetch-progress.ts'
import type { Limits } from '../../lib/supply/fetch/limits.ts'
import { openNetwork } from '../../lib/supply/fetch/network.ts'
import { makeChain, type SignedBy } from '../keyless.ts'
import { addImage, type Contents, layer, openRegistry } from './download-registry-server.mts'
import { openSite, type Site, sha256, status, withChecksum } from './download-server.mts'

const QUICK: Partial<Limits> = { pauseMs: 1, longestPauseMs: 4, answerMs: 2000, reachMs: 4000 }
const PATH = '/release/v1.36.2/bin/linux/amd64/kubelet'
const CONTENT = randomBytes(200_000)

const base = mkdtempSync(join(tmpdir(), 'kubestep trust '))
const open: Site[] = []
after(async () => {
  for (const site of open) await site.close()
  rmSync(base, { recursive: true })
})

async function siteOf(contents: Readonly<Record<string, Buffer>>): Promise<Site> {
  const site = await openSite(new Map(Object.entries(contents)))
  open.push(site)
  return site
}

describe('download() of what is signed', () => {
  const chain = makeChain()
  const files = (by: Partial<SignedBy>, content = CONTENT): Readonly<Record<string, Buffer>> => {
    const { signature, certificate } = chain.sign(content, by)
    return {
      [`${PATH}.sig`]: Buffer.from(signature),
      [`${PATH}.cert`]: Buffer.from(Buffer.from(certificate).toString('base64')),
    }
  }
  const attempt = async (
    beside: Readonly<Record<string, Buffer>>,
    checksum?: string,
    isMirrored = false,
  ): Promise<{ message: string; kept: readonly string[]; progress: readonly Progress[] }> => {
    const site = await siteOf({ ...Object.fromEntries(withChecksum(PATH, CONTENT)), ...beside })
    const folder = mkdtempSync(join(base, 'files-'))
    const network = openNetwork({ deadline: AbortSignal.timeout(20_000), limits: QUICK })
    const progress: Progress[] = []
    const wanted = { name: 'kubelet v1.36.2', urls: [`${site.url}${PATH}`], file: join(folder, 'kubelet'), mode: 0o755 }
    try {
      const signed = { ...wanted, isMirrored, signer: chain.trust, ...(checksum !== undefined && { checksum }) }
      await download(signed, network, event => void progress.push(event))
      return { message: '', kept: readdirSync(folder), progress }
    } catch (error) {
      return { message: (error as Error).message, kept: readdirSync(folder), progress }
    } finally {
      network.close()
    }
  }

  test('accepts a right signature, and says so', async () => {
    const { message, kept, progress } = await attempt(files({}))
    assert.equal(message, '')
    assert.deepEqual(kept, ['kubelet', 'kubelet.sha256'])
    assert.deepEqual(progress.at(-1), {
      kind: 'done',
      name: 'kubelet v1.36.2',
      bytes: CONTENT.length,
      proof: ['checksum', 'signature'],
    })
  })

  for (const [what, by, content, message] of [
    [
      'of somebody else',
      { identity: 'me@example.org' },
      CONTENT,
      /it was signed by email:me@example\.org, not by krel-staging@/,
    ],
    ['of another authority', { stranger: true }, CONTENT, /its certificate does not come from Fulcio/],
    ['of another file', {}, randomBytes(100), /the signature is not over this file/],
  ] as const) {
    test(`refuses a signature ${what}, though the checksum is right, and keeps nothing`, async () => {
      const refused = await attempt(files(by, content))
      assert.match(refused.message, /^components: cannot accept kubelet v1\.36\.2: /)
      assert.match(refused.message, message)
      assert.deepEqual(refused.kept, [])
    })
  }

  test('has to have a signature where it is published; a mirror may lack it, and then it is said', async () => {
    const notices = (progress: readonly Progress[]): readonly Progress[] =>
      progress.filter(({ kind }) => kind === 'notice')
    const refused = await attempt({})
    assert.match(
      refused.message,
      /^components: cannot accept kubelet v1\.36\.2: it has to be signed: .*status 404 .*\.sig; try again later/,
    )
    assert.deepEqual(refused.kept, [])
    const told = await attempt({}, undefined, true)
    assert.equal(told.message, '')
    assert.deepEqual(notices(told.progress), [
      { kind: 'notice', text: 'kubelet v1.36.2 has no signature beside it: only its checksum vouches for it' },
    ])
    const locked = await attempt({}, sha256(CONTENT))
    assert.deepEqual(notices(locked.progress), [])
    assert.deepEqual(locked.progress.at(-1), {
      kind: 'done',
      name: 'kubelet v1.36.2',
      bytes: CONTENT.length,
      proof: ['lock'],
    })
  })

  test('a site whose signatures answer 5xx is not believed either', async () => {
    const site = await siteOf({ ...Object.fromEntries(withChecksum(PATH, CONTENT)), ...files({}) })
    site.fail(`${PATH}.sig`, ...Array(9).fill(status(503)))
    const folder = mkdtempSync(join(base, 'files-'))
    const network = openNetwork({ deadline: AbortSignal.timeout(20_000), limits: QUICK })
    const wanted = { name: 'kubelet', urls: [`${site.url}${PATH}`], file: join(folder, 'kubelet'), mode: 0o755 }
    await assert.rejects(
      download({ ...wanted, signer: chain.trust }, network, () => {}),
      /cannot accept kubelet: it has to be signed: .*status 503/,
    )
    assert.deepEqual(readdirSync(folder), [])
    network.close()
  })
})

describe('prepareComponents() with a lock', () => {
  const prepare = async (lock: string | undefined, cacheDir: string): Promise<{ message: string; site: Site }> => {
    const site = await siteOf(Object.fromEntries(withChecksum(PATH, CONTENT)))
    const wish = { version: 'v1.36.2', arch: 'amd64', besides: [], cacheDir, mirror: site.url, limits: QUICK }
    const deadline = AbortSignal.timeout(20_000)
    try {
      await prepareComponents({ ...wish, deadline, ...(lock !== undefined && { lock }) })
      return { message: '', site }
    } catch (error) {
      return { message: (error as Error).message, site }
    }
  }
  const lockOf = (digest: string): string => {
    const file = join(mkdtempSync(join(base, 'lock-')), 'lock')
    writeFileSync(file, `${digest}  kubelet v1.36.2 amd64\n`)
    return file
  }

  test('takes what the lock has, and asks nobody what it should be', async () => {
    const cacheDir = mkdtempSync(join(base, 'cache-'))
    const { message, site } = await prepare(lockOf(sha256(CONTENT)), cacheDir)
    assert.equal(message, '')
    assert.deepEqual(site.requests, [PATH, `${PATH}.sig`])
  })

  test('refuses what the lock does not have, whatever the site says, and keeps nothing', async () => {
    const cacheDir = mkdtempSync(join(base, 'cache-'))
    for (const lock of [lockOf('a'.repeat(64)), undefined]) {
      const { message } = await prepare(lock, cacheDir)
      assert.match(
        message,
        /^components: cannot fetch kubelet v1\.36\.2: .*SHA-256 is [0-9a-f]{64} and has to be [0-9a-f]{64} for http/,
      )
      assert.deepEqual(readdirSync(join(cacheDir, 'kubelet/v1.36.2/amd64')), [])
    }
  })

  test('looks again at what an earlier run has kept', async () => {
    const cacheDir = mkdtempSync(join(base, 'cache-'))
    assert.equal((await prepare('/dev/null', cacheDir)).message, '')
    assert.deepEqual((await prepare(lockOf(sha256(CONTENT)), cacheDir)).site.requests, [])
    assert.match((await prepare(lockOf('a'.repeat(64)), cacheDir)).message, /SHA-256 is/)
  })
})

test('prepareComponents() looks again at plugins that were unpacked, too', async () => {
  const plugins = '/containernetworking/plugins/releases/download/v1.9.1/cni-plugins-linux-amd64-v1.9.1.tgz'
  const tgz = gzipSync(layer('./bridge', randomBytes(1000), 0o755))
  const site = await siteOf(Object.fromEntries([...withChecksum(PATH, CONTENT), ...withChecksum(plugins, tgz)]))
  const lock = join(mkdtempSync(join(base, 'lock-')), 'lock')
  const wish = { version: 'v1.36.2', arch: 'amd64', besides: ['cni-plugins'] as const, mirror: site.url, limits: QUICK }
  const cacheDir = mkdtempSync(join(base, 'cache-'))
  const prepare = (digest: string): Promise<unknown> => {
    writeFileSync(lock, digest === '' ? '' : `${digest}  cni-plugins v1.9.1 amd64\n`)
    return prepareComponents({ ...wish, cacheDir, lock, deadline: AbortSignal.timeout(20_000) })
  }
  await prepare('')
  const asked = (): readonly string[] => site.requests.filter(path => path.startsWith(plugins))
  const before = asked().length
  await prepare(sha256(tgz))
  assert.equal(asked().length, before)
  await assert.rejects(
    prepare('a'.repeat(64)),
    /cannot fetch cni-plugins v1\.9\.1: .*SHA-256 is .* and has to be a{64}/,
  )
})

test('lock.mts writes a lock that prepareComponents() takes, and none over another digest', async () => {
  const TSX = fileURLToPath(new URL('../../node_modules/tsx/dist/loader.mjs', import.meta.url))
  const script = fileURLToPath(new URL('../../scripts/lock.mts', import.meta.url))
  const contents: Contents = new Map()
  const images = [
    'kube-apiserver:v1.36.2',
    'kube-controller-manager:v1.36.2',
    'kube-scheduler:v1.36.2',
    'kube-proxy:v1.36.2',
    'coredns/coredns:v1.14.2',
    'pause:3.10.2',
    'etcd:3.6.8-0',
  ]
  for (const image of images) {
    const [repository = '', tag = ''] = image.split(':')
    addImage(contents, repository, tag, [{ arch: 'arm64', layers: [layer('file', Buffer.from(image))] }])
  }
  const registry = await openRegistry(contents)
  const tgz = gzipSync(layer('./bridge', randomBytes(1000), 0o755))
  const site = await siteOf(
    Object.fromEntries([
      ['/release/stable-1.36.txt', Buffer.from('v1.36.2\n')] as const,
      ...withChecksum('/release/v1.36.2/bin/linux/arm64/kubelet', CONTENT),
      ...withChecksum('/release/v1.36.2/bin/linux/arm64/kubectl', CONTENT.subarray(1)),
      ...withChecksum('/containernetworking/plugins/releases/download/v1.9.1/cni-plugins-linux-arm64-v1.9.1.tgz', tgz),
    ]),
  )
  const file = join(mkdtempSync(join(base, 'made-')), 'my.lock')
  const mirror = `${site.url},registry.k8s.io=http://${registry.host}`
  const types = 'typescript' in process.features && process.features.typescript ? [] : ['--import', TSX]
  const run = (): Promise<{ code: number | null; text: string }> =>
    new Promise(resolve => {
      const options = ['1.36', '--arch', 'arm64', '--lock', file, '--mirror', mirror]
      const child = spawn(process.execPath, [...types, script, ...options])
      let text = ''
      child.stdout.on('data', chunk => (text += chunk))
      child.stderr.on('data', chunk => (text += chunk))
      child.on('close', code => resolve({ code, text }))
    })
  const first = await run()
  assert.equal(first.code, 0, first.text)
  assert.match(first.text, /lock: kubelet v1\.36\.2 for arm64 has no signature/)
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  assert.equal(lines.length, 10)
  assert.ok(lines.includes(`${sha256(CONTENT)}  kubelet v1.36.2 arm64`))
  assert.ok(lines.includes(`${sha256(tgz)}  cni-plugins v1.9.1 arm64`))
  const pause = sha256(contents.get('pause/manifests/3.10.2')?.content ?? '')
  assert.ok(lines.includes(`${pause}  registry.k8s.io/pause:3.10.2`))
  const wish = { version: 'v1.36.2', arch: 'arm64', cacheDir: mkdtempSync(join(base, 'cache-')), lock: file, mirror }
  const prepared = {
    ...wish,
    images: images.map(image => `registry.k8s.io/${image}`),
    deadline: AbortSignal.timeout(20_000),
  }
  assert.equal((await prepareComponents(prepared)).imageArchives.length, 7)

  writeFileSync(file, readFileSync(file, 'utf8').replace(sha256(CONTENT), 'a'.repeat(64)))
  const second = await run()
  assert.equal(second.code, 1)
  assert.match(
    second.text,
    /lock: cannot write ".*my\.lock": kubelet v1\.36\.2 arm64 was another one when it was locked/,
  )
  await registry.close()
})

/** Whether strace works here. */
const NO_STRACE = ((): string | false => {
  try {
    execFileSync('strace', ['-f', '-e', 'trace=connect', '-o', join(base, 'probe'), 'true'], { stdio: 'ignore' })
    return false
  } catch {
    return 'strace is not installed, or may not trace'
  }
})()

describe('with --offline', { skip: NO_STRACE }, () => {
  const SCRIPTS = fileURLToPath(new URL('../../scripts/', import.meta.url))
  const TSX = fileURLToPath(new URL('../../node_modules/tsx/dist/loader.mjs', import.meta.url))
  const types = 'typescript' in process.features && process.features.typescript ? [] : ['--import', TSX]
  /** Every address family and address that a script asked the kernel to talk to. */
  const contacts = (
    name: string,
    options: readonly string[],
  ): { readonly calls: readonly string[]; readonly text: string } => {
    const trace = join(mkdtempSync(join(base, 'trace-')), 'calls')
    const command = ['-f', '-e', 'trace=connect,sendto,sendmsg', '-o', trace, process.execPath, ...types]
    let text = ''
    try {
      text = execFileSync('strace', [...command, join(SCRIPTS, name), ...options], { stdio: 'pipe', encoding: 'utf8' })
    } catch (error) {
      text = String((error as { stderr: unknown }).stderr)
    }
    const calls = readFileSync(trace, 'utf8')
      .split('\n')
      .filter(line => /AF_INET6?\b/.test(line))
    return { calls, text }
  }

  test('bundle.mts and images.mts talk to nobody, not even to a name server', () => {
    for (const name of ['bundle.mts', 'images.mts']) {
      const options = ['--output-dir', join(base, 'out'), '--cache-dir', join(base, 'empty'), '--offline']
      const words = name === 'images.mts' ? ['pull', ...options] : options
      const { calls, text } = contacts(name, [...words, '--kubernetes-version', 'v1.36.2'])
      assert.deepEqual(calls, [])
      assert.match(
        text,
        /with --offline nothing is contacted \(.*registry\.k8s\.io.*\), and neither --artifacts nor the cache has them/,
      )
    }
  })

  test('and without it the same test sees them try', () => {
    const { calls } = contacts('images.mts', [
      'pull',
      '--output-dir',
      join(base, 'out'),
      '--cache-dir',
      join(base, 'empty'),
      '--image-repository',
      '127.0.0.1:1',
    ])
    assert.ok(
      calls.some(line => line.includes('127.0.0.1')),
      calls.join('\n'),
    )
  })

  test('a dry run of init talks to nobody at all', () => {
    const { calls, text } = contacts('init.mts', ['--dry-run', '--output-dir', join(base, 'tree')])
    assert.deepEqual(calls, [])
    assert.match(text, /Using Kubernetes version/)
  })
})
