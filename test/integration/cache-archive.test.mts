/** What a poisoned entry of the workflow's cache can do when it is unpacked: nothing outside of its folder. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createTar, extractTar } from '../../lib/action/cache-archive.ts'

/** With the folder of a job as the one that paths are relative to, and `restore KEY components` as the command line. */
async function inJob<T>(parent: string, work: () => Promise<T>): Promise<T> {
  const [argv, before] = [[...process.argv], process.env.GITHUB_WORKSPACE]
  process.env.GITHUB_WORKSPACE = parent
  process.argv.splice(2, process.argv.length, 'restore', 'key', 'components')
  try {
    return await work()
  } finally {
    process.argv.splice(0, process.argv.length, ...argv)
    if (before === undefined) delete process.env.GITHUB_WORKSPACE
    else process.env.GITHUB_WORKSPACE = before
  }
}

const METHODS = ['gzip', 'zstd', 'zstd-without-long'] as const
const hasZstd = ((): boolean => {
  try {
    execFileSync('zstd', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

for (const method of METHODS) {
  const skip = method === 'gzip' || hasZstd ? false : 'zstd is not here'
  test(`createTar() and extractTar() by ${method} bring files, and nothing that speaks for them`, {
    skip,
  }, async () => {
    const base = mkdtempSync(join(tmpdir(), 'kubestep cache '))
    const folder = join(base, 'from/components')
    const files = ['kubelet/v1/amd64/kubelet', 'images/a.tar', 'cni-plugins/v1/amd64/cni-plugins.tgz']
    const others = [
      'kubelet/v1/amd64/kubelet.sha256',
      'a.1.part',
      'labels/stable.txt',
      'cni-plugins/v1/amd64/bin/bridge',
    ]
    for (const file of [...files, ...others]) {
      mkdirSync(join(folder, file, '..'), { recursive: true })
      writeFileSync(join(folder, file), file)
    }
    mkdirSync(join(base, 'to'))
    const archive = join(base, method === 'gzip' ? 'cache.tgz' : 'cache.tzst')
    await inJob(join(base, 'from'), () => createTar(base, ['components'], method))
    await inJob(join(base, 'to'), () => extractTar(archive, method))
    for (const file of files) assert.equal(readFileSync(join(base, 'to/components', file), 'utf8'), file)
    for (const file of others) assert.equal(existsSync(join(base, 'to/components', file)), false, file)
    rmSync(base, { recursive: true })
  })
}

test('extractTar() lets nothing out of the folder', async () => {
  const base = mkdtempSync(join(tmpdir(), 'kubestep cache '))
  const [evil, job] = [join(base, 'evil/job'), join(base, 'job')]
  for (const folder of [join(evil, 'components/deep'), join(evil, 'dist'), join(base, 'evil/up'), job]) {
    mkdirSync(folder, { recursive: true })
  }
  mkdirSync(join(job, 'dist'))
  writeFileSync(join(job, 'dist/init.mjs'), 'good')
  writeFileSync(join(base, 'victim'), 'good')
  // What it brings: beside the folder, above it, at an absolute path, through a link, by a hard link, and records.
  writeFileSync(join(evil, 'dist/init.mjs'), 'evil')
  writeFileSync(join(base, 'evil/up/file'), 'evil')
  writeFileSync(join(base, 'absolute'), 'evil')
  symlinkSync(join(base, 'victim'), join(evil, 'components/link'))
  symlinkSync('../dist', join(evil, 'components/folder'))
  writeFileSync(join(evil, 'components/kubelet'), 'a kubelet')
  linkSync(join(evil, 'components/kubelet'), join(evil, 'components/deep/hard'))
  writeFileSync(join(evil, 'components/deep/kubelet.sha256'), 'a record')
  writeFileSync(join(evil, 'components/deep/plain'), 'plain')
  const archive = join(base, 'cache.tgz')
  const entries = ['components', 'dist', '../up/file', join(base, 'absolute'), 'components/../dist/init.mjs']
  execFileSync('tar', ['-P', '-c', '-z', '-f', archive, '-C', evil, ...entries], { stdio: 'ignore' })
  rmSync(join(base, 'absolute'))
  rmSync(join(base, 'evil'), { recursive: true })
  await inJob(job, () => extractTar(archive, 'gzip')).catch(() => {})
  assert.equal(readFileSync(join(job, 'dist/init.mjs'), 'utf8'), 'good')
  assert.equal(readFileSync(join(base, 'victim'), 'utf8'), 'good')
  assert.deepEqual(readdirSync(base).sort(), ['cache.tgz', 'job', 'victim'])
  // One name of the two: the other went.
  assert.deepEqual(readdirSync(join(job, 'components')).sort(), ['deep', 'kubelet'])
  assert.deepEqual(readdirSync(join(job, 'components/deep')), ['plain'])
  rmSync(base, { recursive: true })
})
