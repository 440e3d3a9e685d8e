import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { architecture } from '../../lib/components/platform.ts'
import { prepareComponents } from '../../lib/components/prepare.ts'
import { openInternet } from './download-internet.mts'
import { addImage, type Contents, layer, openRegistry } from './download-registry-server.mts'
import { openSite, status, withChecksum } from './download-server.mts'

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
  const kubelet = randomBytes(100_000)
  const registry = await openRegistry(stored)
  const cdn = await openSite(
    new Map([
      ['/release/stable-1.36.txt', Buffer.from('v1.36.2')],
      ...withChecksum(`/release/v1.36.2/bin/linux/${arch}/kubelet`, kubelet),
      ...withChecksum(`/release/v1.36.2/bin/linux/${arch}/kubectl`, randomBytes(1000)),
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
  const options = ['--kubernetes-version', '1.36', '--output-dir', output, '--cache-dir', join(folder, 'cache')].concat(
    ['--lock', '/dev/null'],
  )

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
  assert.deepEqual(again, { code: 0, stdout: '', stderr: '' })

  const images = IMAGES.map(image => `registry.k8s.io/${image}`)
  const deadline = new AbortController().signal
  const wish = { version: 'v1.36.2', arch, artifacts: output, cacheDir: '/nonexistent', deadline }
  const found = await prepareComponents({ ...wish, images: [...images, 'registry.k8s.io/other:1'] })
  assert.ok(readFileSync(found.kubelet).equals(kubelet))
  assert.equal(found.kubectl, join(output, 'bin/kubectl'))
  assert.equal(found.cniBinDir, join(output, 'cni/bin'))
  assert.equal(found.imageArchives.length, 7)
  assert.deepEqual(found.missingImages, ['registry.k8s.io/other:1'])
  rmSync(folder, { recursive: true })
})

test('bundle.mts wants a folder to write to', async () => {
  const { code, stderr } = await bundle(['--kubernetes-version', 'v1.36.2'], {})
  assert.equal(code, 2)
  assert.match(stderr, /^bundle: cannot write: no folder is named; add --output-dir DIR\n/)
})
