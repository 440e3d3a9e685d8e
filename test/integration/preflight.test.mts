/** preflight as people run it, on this machine: whatever it is like, the report has to be whole and the same twice. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Row } from '../../lib/phases/preflight/run-checks.ts'
import type { Report } from '../../lib/phases/preflight/verdict-text.ts'
import { recordedHost } from '../recorded-host.ts'
import { verdictsOn } from '../unit/preflight-hosts.ts'

const SCRIPT = fileURLToPath(new URL('../../scripts/preflight.mts', import.meta.url))
const TSX = fileURLToPath(new URL('../../node_modules/tsx/dist/loader.mjs', import.meta.url))
const TYPES = 'typescript' in process.features && process.features.typescript ? [] : ['--import', TSX]
const LINUX = process.platform === 'linux' ? false : 'it reads /proc'

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function preflight(...options: readonly string[]): Promise<Ended> {
  return new Promise(resolve => {
    execFile(process.execPath, [...TYPES, SCRIPT, ...options], (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
      resolve({ code, stdout, stderr })
    })
  })
}

/** What does not change from one second to the next. */
function lasting(rows: readonly Row[]): readonly string[] {
  return rows
    .filter(
      ({ name }) =>
        !/^(Clock|DiskSpace|InotifyLimits|Port-|FileAvailable-|DirAvailable-|FileContent-|ExistingCluster|ForwardPolicy|NetworkRanges)/.test(
          name,
        ),
    )
    .map(({ name, status, found }) => `${name} ${status} ${found}`)
}

test('preflight.mts reports every check as JSON, and its status says whether one failed', { skip: LINUX }, async () => {
  const { code, stdout, stderr } = await preflight('-o', 'json')
  const report = JSON.parse(stdout) as Report
  assert.equal(report.kubernetesVersion, 'v1.36.2')
  assert.equal(code, report.passed ? 0 : 1)
  assert.equal(stderr, '')
  for (const name of ['NumCPU', 'CRI', 'Port-6443', 'DiskSpace', 'SystemVerification']) {
    const row = report.checks.find(check => check.name === name)
    assert.ok(row !== undefined && row.found !== '' && row.why !== '', name)
  }
  const isRoot = process.getuid?.() === 0
  assert.equal(report.checks.find(({ name }) => name === 'IsPrivilegedUser')?.status, isRoot ? 'ok' : 'error')
})

test('preflight.mts passes when all errors are to be ignored, in text with a summary', { skip: LINUX }, async () => {
  const { code, stdout } = await preflight('--ignore-preflight-errors', 'all')
  assert.equal(code, 0)
  assert.match(stdout, /^\[preflight\] Checking this machine for Kubernetes v1\.36\.2$/m)
  assert.match(stdout, /\n0 errors, .*in order\n$/)
  assert.ok(!stdout.includes('\u001b'))
})

test('preflight.mts refuses a name that no check has', { skip: LINUX }, async () => {
  const { code, stderr } = await preflight('--ignore-preflight-errors', 'Swapp')
  assert.equal(code, 1)
  assert.match(stderr, /^preflight: cannot ignore "swapp": there is no such check; did you mean "Swap"\?$/m)
})

test('preflight.mts --record writes a tree that gives the same verdicts', { skip: LINUX }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kubestep host '))
  try {
    const { stdout } = await preflight('-o', 'json', '--record', folder)
    const { checks } = JSON.parse(stdout) as Report
    assert.deepEqual(lasting(await verdictsOn(recordedHost(folder))), lasting(checks))
    assert.ok(existsSync(join(folder, 'root/proc/meminfo')))
    const { environment } = JSON.parse(readFileSync(join(folder, 'values.json'), 'utf8'))
    for (const name of Object.keys(environment)) assert.match(name, /^(PATH|CI|GITHUB_ACTIONS|Image|RUNNER_)|_proxy$/i)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
