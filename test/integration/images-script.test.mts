/** images.mts and kubeadm's spelling of it, as a user runs them, where no runtime serves CRI. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { architecture } from '../../lib/base/platform.ts'
import { readArtifacts } from '../../lib/supply/components/artifacts.ts'
import { addImage, type Contents, layer, openRegistry } from './download-registry-server.mts'

const SCRIPTS = fileURLToPath(new URL('../../scripts/', import.meta.url))
const TSX = fileURLToPath(new URL('../../node_modules/tsx/dist/loader.mjs', import.meta.url))
const arch = architecture()
const base = mkdtempSync(join(tmpdir(), 'kubestep images script '))
after(() => rmSync(base, { recursive: true }))

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a script beside us, as it has to talk to servers in this process. */
function run(name: string, options: readonly string[]): Promise<Ended> {
  const types = 'typescript' in process.features && process.features.typescript ? [] : ['--import', TSX]
  return new Promise(resolve => {
    const child = spawn(process.execPath, [...types, join(SCRIPTS, name), ...options])
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', chunk => (stdout += chunk))
    child.stderr.on('data', chunk => (stderr += chunk))
    child.on('close', code => resolve({ code, stdout, stderr }))
  })
}

const VERSION = ['--kubernetes-version', 'v1.30.4']

test('images.mts pull --output-dir writes archives that --artifacts takes, from a mirror, and a second time without', async () => {
  const { stdout } = await run('images.mts', ['list', ...VERSION])
  const images = stdout.trim().split('\n')
  assert.equal(images.length, 7)
  const stored: Contents = new Map()
  for (const image of images) {
    const [, repository = '', tag = ''] = /^registry\.k8s\.io\/(.*):(.*)$/.exec(image) ?? []
    addImage(stored, repository, tag, [{ arch, layers: [layer('file', Buffer.from(image))] }])
  }
  const registry = await openRegistry(stored)
  const folder = join(base, 'artifacts')
  const own = ['--cache-dir', join(base, 'cache'), '--lock', '/dev/null']
  const options = ['pull', ...VERSION, '--output-dir', folder, ...own]
  const pulled = await run('images.mts', [...options, '--mirror', `registry.k8s.io=http://${registry.host}`])
  await registry.close()
  assert.equal(pulled.code, 0, pulled.stderr)
  for (const image of images) {
    assert.match(
      pulled.stdout,
      new RegExp(`^\\[images\\] Have ${image.replaceAll('.', '\\.')} sha256:[0-9a-f]{64}$`, 'm'),
    )
  }
  // What the first Pods need came before what the last ones need. Several are asked for at once: neighbours may swap.
  const asked = registry.requests.filter(path => path.includes('/manifests/'))
  const first = (name: string) => asked.findIndex(path => path.split('/').includes(name))
  for (const early of ['pause', 'etcd', 'kube-apiserver']) {
    for (const late of ['kube-proxy', 'coredns']) assert.ok(first(early) < first(late), asked.join(' '))
  }

  mkdirSync(join(folder, 'bin'))
  writeFileSync(join(folder, 'bin/kubelet'), '#!/bin/sh\n')
  chmodSync(join(folder, 'bin/kubelet'), 0o755)
  const artifacts = await readArtifacts(folder, { arch, version: 'v1.30.4', images })
  assert.equal(artifacts.imageArchives.length, 7)

  rmSync(folder, { recursive: true })
  const again = await run('config.mts', ['images', ...options, '--offline', '-o', 'json'])
  assert.equal(again.code, 0, again.stderr)
  const events = again.stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  const told = events.filter(({ event }) => event === 'image')
  assert.deepEqual(told.map(({ image }) => image).sort(), images.toSorted())
  for (const { state, digest } of told) assert.match(`${state} ${digest}`, /^cached sha256:[0-9a-f]{64}$/)
  assert.equal(readdirSync(join(folder, 'images')).length, 7)
})

test('config.mts images list prints what images.mts list prints, in every format', async () => {
  for (const format of ['text', 'json', 'yaml']) {
    const [ours, kubeadms] = await Promise.all([
      run('images.mts', ['list', ...VERSION, '-o', format]),
      run('config.mts', ['images', 'list', ...VERSION, '-o', format]),
    ])
    assert.equal(ours.code, 0, ours.stderr)
    assert.deepEqual(kubeadms, ours)
    assert.match(ours.stdout, /registry\.k8s\.io\/kube-apiserver:v1\.30\.4/)
  }
})

const FAULTS: readonly (readonly [what: string, options: readonly string[], code: number, message: RegExp])[] = [
  ['yaml', ['pull', '-o', 'yaml'], 2, /^images: cannot write output "yaml": use text or json/],
  ['two places', ['pull', '--output-dir', '/x', '--cri-socket', '/y'], 2, /cannot use --output-dir with --cri-socket/],
  [
    'a socket that is not there',
    ['pull', '--cri-socket', '/nonexistent.sock'],
    1,
    /cannot connect to "unix:\/\/\/nonexistent\.sock"/,
  ],
  [
    'a mirror that is none',
    ['pull', '--output-dir', '/x', '--mirror', 'registry.k8s.io=there'],
    1,
    /cannot use mirror "registry\.k8s\.io=there"/,
  ],
  [
    'a lock that is not there',
    ['pull', '--output-dir', '/x', '--lock', '/nonexistent.lock'],
    1,
    /cannot read lock "\/nonexistent\.lock"/,
  ],
  ['an option of pull', ['list', '--arch', 'arm64'], 2, /cannot take option "--arch"/],
]
for (const [what, options, code, message] of FAULTS) {
  test(`images.mts refuses ${what}, in words`, async () => {
    const ended = await run('images.mts', [...options, ...VERSION])
    assert.equal(ended.code, code, ended.stderr)
    assert.match(ended.stderr, message)
  })
}
