import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse, parseAllDocuments } from 'yaml'
import { initCall } from '../../lib/action/init-arguments.ts'
import { INPUT_ROWS } from '../../lib/action/inputs.ts'
import { isInline, readInputs } from '../../lib/action/read-inputs.ts'
import { REFUSALS } from '../../lib/action/refusals.ts'
import { parseArguments } from '../../lib/cli/arguments.ts'
import type { Script } from '../../lib/cli/script.ts'
import { LINKS } from '../../lib/cluster/diagnose/link-chain.ts'
import { GATES } from '../../lib/cluster/ready/gates.ts'
import { isVersionName } from '../../lib/kubeadm/config/named-versions.ts'
import { CHECKS } from '../../lib/phases/preflight/checks.ts'
import { actionTables } from '../../scripts/build/action-tables.ts'
import { fillTables, readmeTables } from '../../scripts/build/tables.ts'
import { init } from '../../scripts/init.mts'
import { outputOf } from '../output.ts'
import { type OwnCommand, ownCommand, shellCommands, wordsOf } from '../shell.ts'
import { isOurs, stepsOf, workflowFaults } from '../workflow.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const NAMES = ['README.md', ...readdirSync(join(ROOT, 'docs')).map(name => `docs/${name}`)]
const DOCUMENTS: readonly (readonly [name: string, text: string])[] = NAMES.filter(name => name.endsWith('.md')).map(
  name => [name, readFileSync(join(ROOT, name), 'utf8')],
)

interface Block {
  /** `docs/recipes.md:17` */
  readonly place: string
  readonly language: string
  readonly text: string
}

function blocksOf([name, text]: readonly [string, string]): Block[] {
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(({ index, 1: language = '', 2: block = '' }) => ({
    place: `${name}:${text.slice(0, index).split('\n').length}`,
    language,
    text: block,
  }))
}

const BLOCKS = DOCUMENTS.flatMap(blocksOf)
const YAML = BLOCKS.filter(({ language }) => language === 'yaml')
const WORKFLOWS = YAML.filter(({ text }) => /^jobs:/m.test(text))

/** A repository with the files that the documents show, each under the name in its first line. */
const workspace = mkdtempSync(join(tmpdir(), 'kubestep docs '))
before(() => {
  for (const { text } of YAML) {
    const name = /^# (\S+\.yaml)\n/.exec(text)?.[1]
    if (name === undefined) continue
    mkdirSync(dirname(join(workspace, name)), { recursive: true })
    writeFileSync(join(workspace, name), text)
  }
})
after(() => rmSync(workspace, { recursive: true }))

let trees = 0
const known = new Set<string>()

/** Runs a script as a dry run, and gives what it would write. */
async function dryRun(script: Script, args: readonly string[]): Promise<string[]> {
  const tree = join(workspace, `tree-${++trees}`)
  const { flags, ...rest } = parseArguments(script.command, args)
  const output = outputOf()
  const { 'kubernetes-version': version, ...others } = flags
  // Names of versions are looked up, and a test stays off the network.
  const known = version === undefined || isVersionName(version) ? others : flags
  // A dry run looks into the folder, which a document only speaks of.
  const { artifacts: _, ...named } = known
  const dry = { ...named, 'dry-run': true, 'output-dir': tree }
  await script.run({ ...rest, name: script.command.name, flags: script === init ? dry : named, output })
  // A patch of the wrong kind takes away what a Pod needs.
  const manifests = join(tree, 'etc/kubernetes/manifests')
  for (const file of existsSync(manifests) ? readdirSync(manifests) : []) {
    const { spec } = parse(readFileSync(join(manifests, file), 'utf8')) as { spec: { containers: readonly object[] } }
    for (const container of spec.containers) assert.ok('image' in container && 'command' in container, file)
  }
  return existsSync(tree) ? readdirSync(tree).sort() : []
}

/** What the runner fills in where a workflow says nothing. */
const DEFAULTS = Object.fromEntries(
  INPUT_ROWS.flatMap(([name, { default: value, implied, internal }]) =>
    value === undefined || implied || internal ? [] : [[name, value]],
  ),
)

/** Words with the files of the documents in place of their names. */
function located(args: readonly string[]): string[] {
  return args.map(word => (/^(?:\.\/)?(?:kubeadm\.yaml|patches)$/.test(word) ? join(workspace, word) : word))
}

async function scriptOf(name: string): Promise<Script | undefined> {
  // The action's entries run when they are imported.
  if (name.startsWith('action') || !existsSync(join(ROOT, 'scripts', `${name}.mts`))) return undefined
  const exports = Object.values((await import(`../../scripts/${name}.mts`)) as Record<string, Script>)
  return exports.find(value => value.command?.name === name)
}

function ownCommands({ text }: Block): OwnCommand[] {
  return shellCommands(text).flatMap(words => ownCommand(words) ?? [])
}

describe('shellCommands()', () => {
  const rows: readonly (readonly [line: string, words: readonly (readonly string[])[]])[] = [
    ['sudo npx zx scripts/a.mts --b c  # why', [['npx', 'zx', 'scripts/a.mts', '--b', 'c']]],
    ['a | sudo b -', [['a'], ['b', '-']]],
    [
      '(cd x && y --z)',
      [
        ['cd', 'x'],
        ['y', '--z'],
      ],
    ],
    ['A=1 b >out 2>&1', [['b', '&1']]],
    ['b < in.tar', [['b']]],
    ['b --c "d e" \\\n  --f', [['b', '--c', 'd e', '--f']]],
  ]
  for (const [line, words] of rows) {
    test(line, () =>
      assert.deepEqual(
        shellCommands(line).map(command => command.filter(word => word !== '&1')),
        words.map(command => command.filter(word => word !== '&1')),
      ),
    )
  }
  test('wordsOf() ends at a comment and not at a # in a word', () =>
    assert.deepEqual(wordsOf('a b#c # d'), ['a', 'b#c']))
})

describe('workflowFaults()', () => {
  const rows: readonly (readonly [name: string, job: string, fault: RegExp])[] = [
    ['input', 'runs-on: x\n    steps: [{ uses: OWNER/kubestep@v1, with: { version: 1 } }]', /input "version"/],
    ['matrix', 'runs-on: "$E matrix.os }}"\n    steps: [{ run: a }]', /the matrix has no "os"/],
    ['needs', 'runs-on: x\n    needs: other\n    steps: [{ run: a }]', /needs "other"/],
    ['output', 'runs-on: x\n    steps: [{ id: c, uses: ./ }, { run: "$E steps.c.outputs.api }}" }]', /no output "api"/],
    ['step', 'runs-on: x\n    steps: [{ if: "steps.c.outcome == 1", run: a }]', /no step "c"/],
    ['both', 'runs-on: x\n    steps: [{ run: a, uses: ./ }]', /one of uses and run/],
    ['key', 'runs-on: x\n    step: []\n    steps: []', /"step", which no job has/],
  ]
  for (const [name, job, fault] of rows) {
    test(name, () => {
      const faults = workflowFaults(
        `name: n\non: push\npermissions: {}\njobs:\n  j:\n    ${job.replace('$E', '${{')}\n`,
      )
      assert.equal(faults.length, 1, faults.join('\n'))
      assert.match(faults[0] ?? '', fault)
    })
  }
})

describe('the documents', () => {
  test('have workflows, configurations and commands', () => {
    assert.ok(WORKFLOWS.length > 15, String(WORKFLOWS.length))
    assert.ok(BLOCKS.flatMap(ownCommands).length > 30)
  })

  for (const { place, text } of YAML) {
    test(`${place} is YAML`, () => {
      for (const { errors, warnings } of parseAllDocuments(text)) assert.deepEqual([...errors, ...warnings], [])
    })
  }

  for (const { place, text } of WORKFLOWS) {
    test(`${place} is a workflow`, () => assert.deepEqual(workflowFaults(text), []))
  }

  for (const { place, text } of WORKFLOWS) {
    for (const { with: given } of stepsOf(text).filter(isOurs)) {
      test(`${place} gives inputs that init takes`, async () => {
        const values = Object.entries({ ...DEFAULTS, ...given }).map(
          ([name, value]) => [name, concrete(value)] as const,
        )
        const variables = values.map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])
        const inputs = readInputs(Object.fromEntries(variables), workspace)
        // An absolute path is one of the reader's machine.
        const faults = inputs.faults.filter(fault => !/"\/opt\/.*no such folder/.test(fault))
        assert.deepEqual([...faults, ...inputs.unknown], [])
        const { artifacts: _folder, config, ...others } = inputs.given
        const isText = config !== undefined && isInline(config)
        const text = config === undefined || isText ? config : readFileSync(join(workspace, config), 'utf8')
        // The action puts such a text into a file, too.
        const { nodes } = others
        const list = join(workspace, `nodes-${++trees}.yaml`)
        if (nodes !== undefined && isInline(nodes)) writeFileSync(list, nodes)
        const placed = nodes !== undefined && isInline(nodes) ? { ...others, nodes: list } : others
        const call = initCall({ ...placed, ...(config !== undefined && { config }) }, workspace, text)
        const file = join(workspace, `config-${++trees}.yaml`)
        if (call.config !== undefined) writeFileSync(file, call.config)
        const flags = [...call.flags, ...(call.config === undefined ? [] : [`--config=${file}`])]
        // Many workflows differ in their steps alone.
        const key = JSON.stringify([flags.filter(flag => !flag.startsWith('--config=')), call.config])
        if (known.has(key)) return
        known.add(key)
        assert.deepEqual(await dryRun(init, flags), ['cluster-objects.yaml', 'etc', 'var'])
      })
    }
  }

  for (const block of BLOCKS.filter(({ language }) => ['sh', 'bash', 'console'].includes(language))) {
    for (const { name, args } of ownCommands(block)) {
      test(`${block.place} ${name} ${args.join(' ')}`, async () => {
        const script = await scriptOf(name)
        assert.ok(script !== undefined, `there is no script ${name}`)
        parseArguments(script.command, args)
        if (name === 'init')
          assert.deepEqual(await dryRun(script, located(args)), ['cluster-objects.yaml', 'etc', 'var'])
        if (name === 'config') await dryRun(script, located(args))
      })
    }
  }

  for (const [name, text] of DOCUMENTS) {
    test(`${name} leads to places that are there`, () => {
      for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
        const [path = '', anchor] = target.split('#')
        const file = path === '' ? join(ROOT, name) : join(ROOT, dirname(name), path)
        assert.ok(existsSync(file), `${target} is not there`)
        if (anchor !== undefined) assert.ok(anchorsOf(readFileSync(file, 'utf8')).includes(anchor), `no #${anchor}`)
      }
    })

    test(`${name} has the tables of the code`, () => {
      assert.equal(fillTables(text, tables()), text, 'run npm run build')
    })
  }

  test('every table stands in one of them', () => {
    const all = DOCUMENTS.map(([, text]) => text).join('')
    for (const name of Object.keys(tables())) assert.ok(all.includes(`<!-- table: ${name} -->`), name)
  })

  test('none names a machine of ours', () => {
    for (const [name, text] of DOCUMENTS) assert.doesNotMatch(text, /(?<!runner)\/work\/|\/opt\/kubestep-/, name)
  })
})

describe('docs/troubleshooting.md', () => {
  const text = readFileSync(join(ROOT, 'docs/troubleshooting.md'), 'utf8')
  const rows: readonly (readonly [heading: string, names: readonly string[]])[] = [
    ['Broken links', LINKS.map(({ name }) => name)],
    ['Gates', GATES.map(({ name }) => name)],
    ['Preflight checks', CHECKS.map(({ name }) => name)],
    ['Where the action refuses', REFUSALS.map(({ name }) => name)],
  ]
  for (const [heading, names] of rows) {
    test(`${heading}: every name of the code once, with cause and cure, and no other`, () => {
      const section = text.split(/^## /m).find(part => part.startsWith(`${heading}\n`)) ?? ''
      const lines = section.split('\n').filter(line => /^\| `/.test(line))
      const cells = lines.map(line =>
        line
          .split(/(?<!\\)\|/)
          .slice(1, -1)
          .map(cell => cell.trim()),
      )
      assert.deepEqual(
        cells.map(([name = '']) => name.replaceAll('`', '')),
        names,
      )
      for (const [name, cause = '', cure = ''] of cells) assert.ok(cause.length > 10 && cure.length > 5, name)
    })
  }
})

function tables(): Readonly<Record<string, string>> {
  return { ...readmeTables(init.command.options), ...actionTables() }
}

/** Anchors as GitHub makes them of headings. */
function anchorsOf(text: string): string[] {
  const headings = [...text.replace(/^```[\s\S]*?^```/gm, '').matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => title)
  return headings.map(title =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  )
}

/** An input as the runner would give it, for the first row of a matrix. */
function concrete(value: unknown): string {
  return String(value)
    .replaceAll(/\$\{\{ runner\.temp \}\}/g, workspace.replaceAll(' ', '_'))
    .replaceAll(/\$\{\{ matrix\.kubernetes \}\}/g, '1.36')
}
