import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { architecture } from '../../lib/base/platform.ts'
import { prepareComponents } from '../../lib/supply/components/fetch-components.ts'
import { openInternet } from './download-internet.mts'
import { addImage, type Contents, layer, openRegistry } from './download-registry-server.mts'
import { openSite, sha256, status, withChecksum } from './download-server.mts'

const SCRIPT = fileURLToPath(new URL('../../scripts/bundle.mts', import.meta.url))
const TSX = fileURLToPath(new URL('../../node_modules/tsx/dist/loader.mjs', import.meta.url))

const IMAGES = [
  'kube-apiserver:v1.36.2',
  'kube-controller-manager:v1.36.2',
  'kube-scheduler:v1.36.2',
  'kube-proxy:v1.36.2',
  'coredns/coredns:v1.14.2',
  'pause:3.10.2',
  'etcd:3.6.8-0',
]

const NO_OPENSSL = ((): string | false => {
  try {
    execFileSync('openssl', ['version'])
    return false
  } catch {
    return 'openssl is not installed'
  }
})()

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the script beside us, as it has to talk to servers in this process. */
function bundle(options: readonly string[], environment: Readonly<Record<string, string>>): Promise<Ended> {
  const types = 'typescript' in process.features && process.features.typescript ? [] : ['--import', TSX]
  return new Promise(resolve => {
    const child = spawn(process.execPath, [...types, SCRIPT, ...options], {
      env: { PATH: process.env.PATH, ...environment },
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', chunk => (stdout += chunk))
    child.stderr.on('data', chunk => (stderr += chunk))
    child.on('close', code => resolve({ code, stdout, stderr }))
  })
}

test('bundle.mts writes what --artifacts takes, through a proxy, from the hosts that really have it', {
  skip: NO_OPENSSL,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kubestep bundle '))
  const arch = architecture()
  const stored: Contents = new Map()
  for (const image of IMAGES) {
    const [repository = '', tag = ''] = image.split(':')
    addImage(stored, repository, tag, [{ arch, layers: [layer('file', Buffer.from(image))] }])
  }
  const tgz = gzipSync(layer('./bridge', randomBytes(1000), 0o755))
  const kubelet = Buffer.concat([Buffer.from('#!/bin/sh\nexit\n'), randomBytes(100_000)])
  const registry = await openRegistry(stored)
  const cdn = await openSite(
    new Map([
      ['/release/stable-1.36.txt', Buffer.from('v1.36.2')],
      ...withChecksum(`/release/v1.36.2/bin/linux/${arch}/kubelet`, kubelet),
      ...withChecksum(`/release/v1.36.2/bin/linux/${arch}/kubectl`, Buffer.from('#!/bin/sh\n')),
    ]),
  )
  // As the real one does.
  const redirector = await openSite(new Map(), (request, response, content) =>
    status(302, { location: `https://cdn.dl.k8s.io${request.url}` })(request, response, content),
  )
  const github = await openSite(
    new Map(
      withChecksum(`/containernetworking/plugins/releases/download/v1.9.1/cni-plugins-linux-${arch}-v1.9.1.tgz`, tgz),
    ),
  )
  const internet = await openInternet(folder, {
    'dl.k8s.io': redirector.url,
    'cdn.dl.k8s.io': cdn.url,
    'github.com': github.url,
    'registry.k8s.io': `http://${registry.host}`,
  })
  const environment = { HTTPS_PROXY: internet.proxy, NODE_EXTRA_CA_CERTS: internet.ca }
  const output = join(folder, 'a folder')
  const options = ['--kubernetes-version', '1.36', '--output-dir', output, '--cache-dir', join(folder, 'cache')]
  // Nobody here can sign them as the release's account does.
  const kubectl = Buffer.from('#!/bin/sh\n')
  const unsigned = await bundle([...options, '--lock', '/dev/null'], environment)
  assert.equal(unsigned.code, 1)
  assert.match(unsigned.stderr, /cannot accept kubelet v1\.36\.2: it has to be signed: .* status 404 .*kubelet\.sig/)
  const lock = join(folder, 'the lock')
  const locked = [`${sha256(kubelet)}  kubelet v1.36.2 ${arch}`, `${sha256(kubectl)}  kubectl v1.36.2 ${arch}`]
  writeFileSync(lock, `${locked.join('\n')}\n`)
  options.push('--lock', lock)

  const refused = await bundle(options, { ...environment, HTTPS_PROXY: internet.proxy.replace('secret', 'wrong') })
  assert.equal(refused.code, 1)
  assert.match(
    refused.stderr,
    /no host can be reached.*\n {2}dl\.k8s\.io \(proxy 127\.0\.0\.1:\d+\): the proxy answers with status 407/,
  )
  assert.ok(!refused.stderr.includes('wrong'))

  const distrusted = await bundle(options, { HTTPS_PROXY: internet.proxy })
  assert.equal(distrusted.code, 1)
  assert.match(distrusted.stderr, /dl\.k8s\.io.*: its certificate is not trusted .*NODE_EXTRA_CA_CERTS/)

  const done = await bundle(options, environment)
  assert.equal(done.stderr, '')
  assert.equal(done.code, 0)
  assert.match(done.stdout, /\[bundle\] Wrote 10 files for Kubernetes v1\.36\.2 on linux\/\w+ to /)
  assert.deepEqual(readdirSync(output).sort(), ['SHA256SUMS', 'bin', 'cni', 'images'])
  assert.equal(execFileSync('sha256sum', ['--check', '--quiet', 'SHA256SUMS'], { cwd: output }).toString(), '')
  assert.ok(internet.connections.includes('registry.k8s.io:443'))

  for (const server of [registry, cdn, redirector, github]) await server.close()
  internet.close()
  const again = await bundle([...options, '--quiet'], {})
  assert.deepEqual([again.code, again.stdout], [0, ''])
  assert.match(
    again.stderr,
    /^\S+: release\/stable-1\.36\.txt cannot be looked up; taking v1\.36\.2, as it was when last seen\n$/,
  )

  const images = IMAGES.map(image => `registry.k8s.io/${image}`)
  const deadline = new AbortController().signal
  const wish = { version: 'v1.36.2', arch, artifacts: output, cacheDir: '/nonexistent', deadline }
  const found = await prepareComponents({ ...wish, images })
  assert.ok(readFileSync(found.kubelet).equals(kubelet))
  assert.equal(found.kubectl, join(output, 'bin/kubectl'))
  assert.equal(found.cniBinDir, join(output, 'cni/bin'))
  assert.equal(found.imageArchives.length, 7)
  await assert.rejects(
    prepareComponents({ ...wish, images: [...images, 'registry.k8s.io/other:1'] }),
    /cannot use artifacts ".*": images has no archive with registry\.k8s\.io\/other:1: /,
  )
  rmSync(folder, { recursive: true })
})

test('bundle.mts wants a folder to write to', async () => {
  const { code, stderr } = await bundle(['--kubernetes-version', 'v1.36.2'], {})
  assert.equal(code, 2)
  assert.match(stderr, /^bundle: cannot write: no folder is named; add --output-dir DIR\n/)
})

test('bundle.mts writes what another machine needs, from mirrors, and a second time without a network', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kubestep bundle '))
  const stored: Contents = new Map()
  for (const image of IMAGES) {
    const [repository = '', tag = ''] = image.split(':')
    const both = ['amd64', 'arm64'].map(arch => ({ arch, layers: [layer('file', Buffer.from(`${image} ${arch}`))] }))
    addImage(stored, repository, tag, both)
  }
  const registry = await openRegistry(stored)
  const kubelet = randomBytes(100_000)
  const tgz = gzipSync(layer('./bridge', randomBytes(1000), 0o755))
  const site = await openSite(
    new Map([
      ...withChecksum('/release/v1.36.2/bin/linux/arm64/kubelet', kubelet),
      ...withChecksum('/release/v1.36.2/bin/linux/arm64/kubectl', randomBytes(1000)),
      ...withChecksum('/containernetworking/plugins/releases/download/v1.9.1/cni-plugins-linux-arm64-v1.9.1.tgz', tgz),
    ]),
  )
  const options = ['--arch', 'arm64', '--kubernetes-version', 'v1.36.2', '--lock', '/dev/null']
  const cache = ['--cache-dir', join(folder, 'cache')]
  const mirror = ['--mirror', `${site.url},registry.k8s.io=http://${registry.host}`]
  const first = await bundle([...options, ...cache, ...mirror, '--output-dir', join(folder, 'one')], {})
  assert.equal(first.code, 0, first.stderr)
  assert.match(first.stdout, /Wrote 10 files for Kubernetes v1\.36\.2 on linux\/arm64 to /)
  assert.ok(readFileSync(join(folder, 'one/bin/kubelet')).equals(kubelet))
  for (const server of [registry, site]) await server.close()
  const second = await bundle(
    [...options, ...cache, '--offline', '-o', 'json', '--output-dir', join(folder, 'two')],
    {},
  )
  assert.equal(second.code, 0, second.stderr)
  const events = second.stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  assert.equal(events.filter(({ event, state }) => event === 'component' && state === 'cached').length, 10)
  const sums = ['one', 'two'].map(name => readFileSync(join(folder, name, 'SHA256SUMS'), 'utf8'))
  assert.equal(sums[0], sums[1])
  rmSync(folder, { recursive: true })
})

test('bundle.mts refuses an architecture that Kubernetes is not published for, and knows other names', async () => {
  for (const [arch, hint] of [
    ['aarch64', 'its name here is arm64'],
    ['mips', 'use one of amd64, arm64'],
  ] as const) {
    const { code, stderr } = await bundle(['--arch', arch, '--output-dir', '/nonexistent/x'], {})
    assert.equal(code, 2)
    assert.ok(stderr.startsWith(`bundle: cannot use --arch "${arch}": it is not known; `), stderr)
    assert.ok(stderr.includes(hint), stderr)
  }
})
