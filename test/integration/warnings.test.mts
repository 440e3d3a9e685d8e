/** No runtime says anything of its own on a user's screen: each script, from the sources and as a bundle, on each runtime. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Runtimes to try, as the test runner gives them; the Node that runs this otherwise. */
const RUNTIMES = (process.env.KUBESTEP_RUNTIMES ?? process.execPath).split(':')

/** How Node, Deno and Bun begin what they have to say. */
const WARNING =
  /\(node:\d+\)|\bDEP\d{4}\b|\b[A-Z]\w+Warning\b|--trace-|^(?:warn|Warn|Warning|warning|note|error)\b:? |^⚠|^npm warn/m

for (const [what, said] of [
  ['Node', '(node:1) [DEP0190] DeprecationWarning: Passing args to a child process with shell option true'],
  ['Node', '(node:7) ExperimentalWarning: Type Stripping is an experimental feature and might change at any time'],
  ['Deno', 'Warning The following packages contained npm lifecycle scripts'],
  ['Bun', 'warn: incorrect peer dependency'],
] as const) {
  test(`what ${what} says is recognised: ${said.slice(0, 40)}`, () => assert.match(`first\n${said}\n`, WARNING))
}

interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

function start(command: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const [program = '', ...args] = command
  // What the test runner lends itself is not what users have.
  const { NODE_OPTIONS: _, NODE_NO_WARNINGS: __, ...own } = process.env
  const env = { ...own, ...environment }
  const child = spawn(program, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 120_000 })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', chunk => {
    stdout += chunk
  })
  child.stderr.on('data', chunk => {
    stderr += chunk
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', status => resolve({ status, stdout, stderr }))
  })
}

interface Way {
  readonly script: string
  readonly words: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly status: readonly number[]
}

/** One of each kind: a dry run, wrong usage, child processes of many kinds, a failure, a proxy at an address. */
function waysIn(folder: string): Way[] {
  const proxy = { HTTPS_PROXY: 'https://127.0.0.1:9', https_proxy: 'https://127.0.0.1:9', NO_PROXY: '', no_proxy: '' }
  const cache = ['--cache-dir', join(folder, 'cache')]
  return [
    { script: 'init', words: ['--dry-run', '--output-dir', join(folder, 'tree')], status: [0] },
    { script: 'init', words: ['--no-such-option'], status: [2] },
    { script: 'preflight', words: [], status: [0, 1] },
    { script: 'logs', words: ['--output-dir', join(folder, 'logs')], status: [0, 1] },
    { script: 'load', words: ['registry.test/nothing:1'], status: [1] },
    {
      script: 'bundle',
      words: ['--kubernetes-version', 'v1.36.2', '--output-dir', join(folder, 'bundle'), ...cache],
      environment: proxy,
      status: [1],
    },
  ]
}

async function isQuiet(command: readonly string[], way: Omit<Way, 'script' | 'words'>): Promise<Ended> {
  const ended = await start(command, way.environment)
  const said = `${ended.stdout}${ended.stderr}`
  assert.ok(way.status.includes(ended.status ?? -1), `status ${ended.status}: ${said}`)
  assert.doesNotMatch(said, WARNING)
  return ended
}

for (const runtime of RUNTIMES) {
  const name = runtime.split('node_modules/').at(-1) ?? runtime
  const alone = basename(runtime) === 'deno' ? [runtime, 'run', '-A'] : [runtime]
  // Node 20 cannot strip types by itself.
  const typescript = name.startsWith('node20') || process.version.startsWith('v20.') ? ['--import', 'tsx'] : []
  const loader = basename(runtime).startsWith('node') ? typescript : []
  describe(name, { concurrency: 2 }, () => {
    for (const file of readdirSync(join(ROOT, 'dist')).filter(other => /^(?!action).*\.mjs$/.test(other))) {
      test(`${file} --help`, async () => {
        const { stderr } = await isQuiet([...alone, join(ROOT, 'dist', file), '--help'], { status: [0] })
        assert.equal(stderr, '')
      })
    }
    for (const [kind, path] of [
      ['bundle', (script: string) => [join(ROOT, 'dist', `${script}.mjs`)]],
      ['sources', (script: string) => [...loader, join(ROOT, 'scripts', `${script}.mts`)]],
    ] as const) {
      test(`every kind of call of the ${kind}`, async () => {
        const folder = mkdtempSync(join(tmpdir(), 'kubestep warnings '))
        try {
          for (const { script, words, ...way } of waysIn(folder)) {
            await isQuiet([...alone, ...path(script), ...words], way)
          }
        } finally {
          rmSync(folder, { recursive: true })
        }
      })
    }
  })
}
