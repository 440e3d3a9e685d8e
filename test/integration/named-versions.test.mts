import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const TSX = fileURLToPath(new URL('../../node_modules/tsx/dist/loader.mjs', import.meta.url))

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a script beside us, as it has to talk to a server in this process. */
function run(script: string, options: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const types = 'typescript' in process.features && process.features.typescript ? [] : ['--import', TSX]
  const file = fileURLToPath(new URL(`../../scripts/${script}.mts`, import.meta.url))
  return new Promise(resolve => {
    const child = spawn(process.execPath, [...types, file, ...options], {
      env: { PATH: process.env.PATH, ...environment },
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', chunk => (stdout += chunk))
    child.stderr.on('data', chunk => (stderr += chunk))
    child.on('close', code => resolve({ code, stdout, stderr }))
  })
}

const ANSWERS: Readonly<Record<string, string>> = {
  '/release/stable-1.30.txt': 'v1.30.99\n',
  '/release/latest.txt': 'v1.37.0-rc.0',
}

test('names of versions are looked up in flags and in files, and complete ones are not', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kubestep names '))
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    const answer = ANSWERS[request.url ?? '']
    response.writeHead(answer === undefined ? 404 : 200).end(answer)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  // A failed assertion must not wait for it.
  server.unref()
  const mirror = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const fetching = ['--mirror', mirror, '--cache-dir', join(folder, 'cache')]

  const listed = await run('images', ['list', '--kubernetes-version', '1.30', ...fetching])
  assert.match(listed.stdout, /^registry\.k8s\.io\/kube-apiserver:v1\.30\.99$/m, listed.stderr)

  const file = join(folder, 'kubeadm.yaml')
  writeFileSync(file, 'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nkubernetesVersion: latest\n')
  const tree = join(folder, 'tree')
  const latest = await run('images', ['list', '--config', file, ...fetching])
  assert.match(latest.stdout, /kube-apiserver:v1\.37\.0-rc\.0$/m)
  assert.deepEqual(asked, ['/release/stable-1.30.txt', '/release/latest.txt'])
  // A dry run asks nobody, whoever may answer.
  const dry = await run('init', ['--dry-run', '--config', file, '--output-dir', tree, ...fetching])
  assert.equal(dry.code, 0, dry.stderr)
  assert.match(dry.stderr, /^version: "latest" is taken as v1\.36\.2, the newest known here: nothing is looked up now/m)
  assert.match(readFileSync(join(tree, 'etc/kubernetes/manifests/kube-apiserver.yaml'), 'utf8'), /:v1\.36\.2$/m)
  assert.deepEqual(asked, ['/release/stable-1.30.txt', '/release/latest.txt'])

  const complete = await run('images', ['list', '--kubernetes-version', 'v1.36.0-rc.1', ...fetching])
  assert.match(complete.stdout, /kube-apiserver:v1\.36\.0-rc\.1$/m)
  assert.equal(asked.length, 2)

  await new Promise(resolve => server.close(resolve))
  const remembered = await run('images', ['list', '--kubernetes-version', '1.30', ...fetching])
  assert.match(remembered.stdout, /kube-apiserver:v1\.30\.99$/m)
  assert.match(remembered.stderr, /taking v1\.30\.99, as it was when last seen/)

  // What does not depend on the answer goes on without it, and says so; a real init does not.
  const guess = /^version: "stable" is taken as v1\.36\.2, the newest known here: .*: connection refused/m
  for (const [script, options] of [
    ['images', ['list', ...fetching]],
    ['preflight', []],
  ] as const) {
    const guessed = await run(script, [...options, '--kubernetes-version', 'stable'], { HTTPS_PROXY: 'x.invalid:1' })
    assert.match(guessed.stderr, script === 'preflight' ? /"stable" is taken as v1\.36\.2/ : guess)
    if (script !== 'preflight') assert.equal(guessed.code, 0, guessed.stderr)
  }
  const unreachable = await run('init', ['--kubernetes-version', 'stable', ...fetching])
  assert.equal(unreachable.code, 1)
  assert.match(unreachable.stderr, /no host can be reached; tried\n {2}127\.0\.0\.1:\d+: connection refused/)
  assert.match(unreachable.stderr, /ways out:\n(?: {2}.*\n)+ {2}an exact version/)
  rmSync(folder, { recursive: true })
})

test('init takes the version of the artifacts for a name, and refuses one that does not fit', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kubestep names '))
  const kubelet = join(folder, 'bin', 'kubelet')
  mkdirSync(join(folder, 'bin'))
  writeFileSync(kubelet, '#!/bin/sh\necho Kubernetes v1.29.4\n', { mode: 0o755 })
  const options = ['--dry-run', '--artifacts', folder, '--output-dir', join(folder, 'tree')]
  const { stdout, stderr } = await run('init', [...options, '--kubernetes-version', 'stable'])
  assert.match(stdout, /Using Kubernetes version: v1\.29\.4$/m, stderr)
  const wrong = await run('init', [...options, '--kubernetes-version', '1.30'])
  assert.equal(wrong.code, 1)
  assert.match(wrong.stderr, /^version: cannot use "1\.30" with --artifacts ".*": its kubelet is v1\.29\.4; write that/)
  rmSync(folder, { recursive: true })
})
