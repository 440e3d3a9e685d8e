import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse, parseDocument } from 'yaml'
import { readInputs } from '../../lib/action/read-inputs.ts'
import { NEWEST_MINOR } from '../../lib/base/version.ts'
import { parseArguments } from '../../lib/cli/arguments.ts'
import type { Script } from '../../lib/cli/script.ts'
import { ownCommand, shellCommands } from '../shell.ts'
import { isOurs, object, stepsOf, workflowFaults } from '../workflow.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const FOLDER = join(ROOT, '.github/workflows')
const WORKFLOWS: readonly (readonly [name: string, text: string])[] = readdirSync(FOLDER).map(name => [
  name,
  readFileSync(join(FOLDER, name), 'utf8'),
])

/** What each workflow may ask for, and nothing else. */
const PERMISSIONS: Readonly<Record<string, readonly string[]>> = {
  'action.yml': ['contents: read'],
  'nightly.yml': ['contents: read'],
  'release.yml': ['contents: read', 'contents: write', 'id-token: write', 'attestations: write'],
  'test.yml': ['contents: read'],
}

function textOf(name: string): string {
  return WORKFLOWS.find(([other]) => other === name)?.[1] ?? ''
}

function jobsOf(text: string): Readonly<Record<string, unknown>>[] {
  return Object.values(object(object(parse(text)).jobs)).map(object)
}

function expressionless(value: unknown): boolean {
  return !String(value).includes('$' + '{{')
}

describe('the workflows', () => {
  test('are those that are known here', () => {
    assert.deepEqual(WORKFLOWS.map(([name]) => name).sort(), Object.keys(PERMISSIONS).sort())
  })

  for (const [name, text] of WORKFLOWS) {
    describe(name, () => {
      test('is YAML and declares what it uses', () => {
        const { errors, warnings } = parseDocument(text)
        assert.deepEqual([...errors, ...warnings], [])
        assert.deepEqual(workflowFaults(text), [])
      })

      test('pins every action to a commit, and says which release that is', () => {
        const lines = text.split('\n').filter(line => /^\s*(?:- )?uses:/.test(line))
        for (const line of lines) assert.match(line, /uses: (?:\.\/\S*|[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/)
        // One commit for one action, everywhere.
        const all = WORKFLOWS.flatMap(([, other]) => [...other.matchAll(/uses: (\w[\w/-]+)@(\S+) # (\S+)/g)])
        for (const [, action, commit, release] of all) {
          const others = all.filter(([, same]) => same === action)
          assert.ok(
            others.every(([, , a, b]) => a === commit && b === release),
            action,
          )
        }
      })

      test('asks for the least, one run at a time, and no job without an end', () => {
        const workflow = object(parse(text))
        assert.ok('concurrency' in workflow)
        const asked = jobsOf(text).flatMap(job => Object.entries(object(job.permissions)).map(row => row.join(': ')))
        assert.deepEqual([...new Set(asked)].sort(), [...(PERMISSIONS[name] ?? [])].sort())
        for (const job of jobsOf(text)) assert.ok('uses' in job || Number(job['timeout-minutes']) <= 40, name)
      })

      test('runs scripts that are there, with options that they have', async () => {
        const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object }
        const runs = [...stepsOf(text).flatMap(({ run }) => run ?? []), ...commandsOfMatrices(text)]
        for (const words of runs.flatMap(shellCommands)) {
          const [program, ...args] = words.map(word => (word === '$(command -v node)' ? 'node' : word))
          if (program === 'npm' && args[0] === 'run') assert.ok((args[1] ?? '') in scripts, args[1])
          if (program === 'bash') assert.ok(existsSync(join(ROOT, args[0] ?? '')), args[0])
          const own = ownCommand([program ?? '', ...args])
          if (own === undefined) continue
          const exports = (await import(`../../scripts/${own.name}.mts`)) as Record<string, Script>
          const script = Object.values(exports).find(({ command }) => command?.name === own.name)
          assert.ok(script !== undefined, own.name)
          parseArguments(script.command, own.args)
        }
      })

      test('gives the action inputs that it takes', () => {
        for (const { with: given } of stepsOf(text).filter(isOurs)) {
          const plain = Object.entries(given).filter(([, value]) => expressionless(value))
          const { faults, unknown } = readInputs(
            Object.fromEntries(plain.map(([input, value]) => [`INPUT_${input.toUpperCase()}`, String(value)])),
            ROOT,
          )
          assert.deepEqual([...faults, ...unknown], [])
        }
      })

      test('takes nothing that strangers write into a shell', () => {
        for (const { run = '' } of stepsOf(text)) assert.doesNotMatch(run, /\$\{\{\s*(?:github\.event|inputs|steps)/)
      })

      test('calls workflows that are there and let themselves be called', () => {
        for (const { uses } of jobsOf(text)) {
          if (uses === undefined) continue
          const called = textOf(String(uses).replace('./.github/workflows/', ''))
          assert.ok('workflow_call' in object(object(parse(called)).on), String(uses))
        }
      })
    })
  }

  test('action.yml tries the last four minors on every runner', () => {
    const { kubernetes, os } = object(object(object(jobsOf(textOf('action.yml'))[0]).strategy).matrix)
    assert.deepEqual(
      kubernetes,
      [0, 1, 2, 3].map(back => `1.${NEWEST_MINOR - back}`),
    )
    assert.deepEqual(os, ['ubuntu-22.04', 'ubuntu-24.04', 'ubuntu-24.04-arm'])
  })

  test('test.yml tries every runtime', () => {
    const { include } = object(object(object(jobsOf(textOf('test.yml'))[1]).strategy).matrix)
    assert.deepEqual(
      (include as readonly { runtime: string }[]).map(({ runtime }) => runtime),
      ['node20', 'node22', 'node24', 'deno', 'bun'],
    )
  })

  test('what may write or sign runs no code but its own and that of the runner', () => {
    for (const [name, text] of WORKFLOWS) {
      for (const [job, value] of Object.entries(object(object(parse(text)).jobs))) {
        const { permissions, steps = [] } = object(value)
        if (!Object.values(object(permissions)).includes('write')) continue
        for (const { run = '', uses = '' } of (steps as readonly unknown[]).map(object)) {
          assert.doesNotMatch(String(run), /\b(?:npm|npx|node|bash|sh|deno|bun) /, `${name} ${job}`)
          assert.doesNotMatch(String(uses), /^\.\//, `${name} ${job}`)
        }
        const kept = (steps as readonly unknown[]).map(object).filter(({ uses = '' }) => /checkout@/.test(String(uses)))
        for (const step of kept) assert.equal(object(step.with)['persist-credentials'], false, `${name} ${job}`)
      }
    }
  })

  test('release.yml publishes only what has passed', () => {
    const { jobs } = parse(textOf('release.yml')) as { jobs: Record<string, { needs?: readonly string[] }> }
    assert.deepEqual(
      jobs.publish?.needs,
      Object.keys(jobs).filter(name => name !== 'publish'),
    )
  })
})

/** Commands that stand in the rows of a matrix. */
function commandsOfMatrices(text: string): string[] {
  return jobsOf(text).flatMap(job => {
    const { include } = object(object(job.strategy).matrix)
    return Array.isArray(include)
      ? include.flatMap(row => (object(row).command ? [String(object(row).command)] : []))
      : []
  })
}
