// biome-ignore-all lint/suspicious/noTemplateCurlyInString: texts for shells
/** No value becomes a command: not in the sources, not from an input of the action, not from a file of the kubelet's flags. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { INPUT_ROWS, type InputKind } from '../../lib/action/inputs.ts'
import { kubeletFlagsFile } from '../../lib/kubeadm/kubelet/kubelet-flags.ts'
import { $ } from '../../lib/machine/command.ts'
import { parseVariables, splitWords } from '../../lib/machine/service/supervise.mjs'
import { actionNode, openJob } from '../action/runner.ts'
import { READY_INIT, stubbedCheckout } from '../action/stubs.ts'
import { configOf, GOLDEN_FACTS } from '../unit/objects-cases.mts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Where a shell, or a process, is named, and why it may be. */
const NAMED: readonly (readonly [pattern: RegExp, files: Readonly<Record<string, string>>])[] = [
  [
    /\b(?:node:)?child_process\b/,
    {
      'lib/machine/command.ts': 'the one place that starts processes',
      'lib/machine/service/supervise.mjs': 'starts services, on its own',
      'lib/action/run-as-root.ts': 'the one place of the action',
      'lib/action/job-facts.ts': 'asks sudo before anything else is loaded',
    },
  ],
  [
    /\/bin\/(?:ba|da)?sh\b|['"`](?:ba|da)?sh['"`]|\bshell\s*:|\beval\b|\bexecSync\b/,
    {
      'lib/machine/command.ts': 'zx wants the name of one, which is not started',
      'lib/action/user-files.ts': 'kubestep-logs: a fixed text',
      'lib/machine/local-node/world.ts':
        'the first process of a node, and the way into its control groups: fixed texts, values are arguments',
      'lib/phases/prepare/install.ts': 'policy-rc.d: a fixed text',
    },
  ],
]

describe('the sources start no shell', () => {
  const files = ['lib', 'scripts'].flatMap(folder =>
    (readdirSync(join(ROOT, folder), { recursive: true }) as string[])
      .filter(name => /\.(?:ts|mts|mjs)$/.test(name))
      .map(name => join(folder, name)),
  )
  for (const [pattern, allowed] of NAMED) {
    test(`only what is known has ${pattern.source}`, () => {
      const code = (file: string): string =>
        readFileSync(join(ROOT, file), 'utf8').replaceAll(/^\s*(?:\/\/|\*|\/\*\*?).*$/gm, '')
      assert.deepEqual(files.filter(file => pattern.test(code(file))).sort(), Object.keys(allowed).sort())
    })
  }
})

/** What a shell would make something of; `C` is a file that must not come to be. */
const NASTY: readonly string[] = [
  '$(touch C)',
  '$(touch${IFS}C)',
  '`touch C`',
  'a;touch C;b',
  'a\ntouch C\nb',
  `'; touch C; '`,
  `"; touch C; "`,
  'a && touch C',
  'a | touch C',
  'a > C',
  '%n %H $HOME ${PATH}',
  'back\\slash \\$(touch C)',
]

test('$ gives each of them to a program as one argument', async () => {
  const canary = join(mkdtempSync(join(tmpdir(), 'kubestep values ')), 'canary')
  const words = NASTY.map(value => value.replaceAll('C', canary))
  const { stdout } = await $`printf ${'%s\\0'} ${words}`
  assert.deepEqual(stdout.split('\0').slice(0, -1), words)
  assert.equal(existsSync(canary), false)
})

for (const value of NASTY) {
  test(`a flag of the kubelet that is ${JSON.stringify(value)} is data in its file`, () => {
    const node = `\n  kubeletExtraArgs: ${JSON.stringify([{ name: 'node-labels', value }])}`
    const text = kubeletFlagsFile(configOf('v1.36.2', { node }), GOLDEN_FACTS)
    const variables = parseVariables(text)
    assert.deepEqual([...variables.keys()], ['KUBELET_KUBEADM_ARGS'])
    const words = splitWords(variables.get('KUBELET_KUBEADM_ARGS') ?? '')
    // Blanks part words, and one level of quotes and backslashes goes, under systemd too; nothing else changes.
    const plain = /[\\'"\s]/.test(value) ? undefined : `--node-labels=${value}`
    if (plain !== undefined) assert.ok(words.includes(plain), words.join('\n'))
    assert.ok(words.some(word => word.startsWith('--node-labels=')))
  })
}

const noAction =
  (actionNode() === undefined && 'Node 24, as action.yml declares, is not here; test/run.sh installs it') ||
  (process.getuid?.() !== 0 && 'needs root, or the action would ask for sudo')

const FREE: readonly InputKind[] = ['text', 'version', 'list', 'gates', 'settings', 'arguments', 'config', 'folder']

/** The same in few words, as each costs a run: unquoted, out of single and out of double quotes. */
const TOGETHER: readonly string[] = [
  'a$(touch${IFS}C)`touch C`;touch C\ntouch C\n',
  `a'; touch C; 'b`,
  `a"; touch C; "b`,
]

describe('an input of the action', { skip: noAction }, () => {
  for (const [name, { kind, internal }] of INPUT_ROWS.filter(([, input]) => FREE.includes(input.kind))) {
    test(name, async () => {
      const checkout = stubbedCheckout({ init: READY_INIT, load: '', images: '' })
      const job = openJob({ actionFolder: checkout.folder })
      const canary = join(job.temp, 'canary')
      job.end()
      for (const value of TOGETHER.map(text => text.replaceAll('C', canary))) {
        const given = kind === 'arguments' ? `{ kubelet: { node-labels: ${JSON.stringify(value)} } }` : value
        const one = openJob({
          actionFolder: checkout.folder,
          inputs: { [name]: given, ...(internal && { cache: 'false' }) },
        })
        try {
          const said = `${(await one.main()).raw}${(await one.post('success')).raw}`
          assert.doesNotMatch(said, /\(node:\d+\)|\bDEP\d{4}\b/)
          assert.equal(existsSync(canary), false, value)
        } finally {
          one.end()
        }
      }
      checkout.remove()
    })
  }
})
