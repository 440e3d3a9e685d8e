import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Command } from '../../lib/cli/arguments.ts'
import { helpText } from '../../lib/cli/help.ts'
import { commandOf, type Start } from '../../lib/cli/invocation.ts'
import { block, useCommands } from '../../lib/phases/init/next-commands.ts'

const HERE = '/home/me/kubestep'

for (const [what, start, command] of [
  ['a bundle', { argv: ['/usr/bin/node', `${HERE}/dist/init.mjs`] }, 'node dist/reset.mjs'],
  [
    'a bundle by sudo',
    { argv: ['/usr/bin/node', `${HERE}/dist/init.mjs`], isRoot: true, sudoUser: 'me' },
    'sudo node dist/reset.mjs',
  ],
  [
    'root who was root before',
    { argv: ['n', `${HERE}/dist/init.mjs`], isRoot: true, sudoUser: 'root' },
    'node dist/reset.mjs',
  ],
  [
    'a whole path of the runtime',
    { argv: ['n', `${HERE}/dist/init.mjs`], argv0: '/opt/node/bin/node' },
    '/opt/node/bin/node dist/reset.mjs',
  ],
  [
    'a bundle elsewhere',
    { argv: ['node', '/opt/kubestep/dist/init.mjs', 'x.mjs'] },
    'node /opt/kubestep/dist/reset.mjs',
  ],
  ['a folder with a space', { argv: ['node', '/opt/my step/dist/init.mjs'] }, "node '/opt/my step/dist/reset.mjs'"],
  ['Deno', { argv: ['deno', `${HERE}/dist/init.mjs`], runtime: 'deno' }, 'deno run -A dist/reset.mjs'],
  ['Bun', { argv: ['bun', `${HERE}/dist/init.mjs`], runtime: 'bun' }, 'bun dist/reset.mjs'],
  [
    'zx',
    { argv: ['node', `${HERE}/node_modules/.bin/zx`, 'scripts/init.mts', '--v=5'], isRoot: true, sudoUser: 'me' },
    'sudo npx zx scripts/reset.mts',
  ],
  ['a source on a Node that reads it', { argv: ['node', `${HERE}/scripts/init.mts`] }, 'node scripts/reset.mts'],
  [
    'a bundle, at the top of the machine',
    { argv: ['node', '/opt/dist/init.mjs'], cwd: '/' },
    'node /opt/dist/reset.mjs',
  ],
  ['a program of somebody else', { argv: ['node', `${HERE}/test/unit/a.test.mts`] }, 'npx zx scripts/reset.mts'],
  [
    'a file that is only an argument',
    { argv: ['node', '/x/run.js', `${HERE}/scripts/init.mts`] },
    'npx zx scripts/reset.mts',
  ],
  ['nothing at all', { argv: ['node'] }, 'npx zx scripts/reset.mts'],
] as const satisfies readonly (readonly [string, Partial<Start>, string])[]) {
  test(`commandOf() after ${what}`, () => {
    const base: Start = { argv: [], argv0: 'node', runtime: 'node', cwd: HERE, isRoot: false }
    assert.equal(commandOf('reset', true, { ...base, ...start }), command)
    assert.equal(commandOf('reset', false, { ...base, ...start }), command.replace('sudo ', ''))
  })
}

test('useCommands() goes by sudo where init did, because admin.conf is for root', () => {
  assert.deepEqual(useCommands('kubectl', false), ['export KUBECONFIG=/etc/kubernetes/admin.conf', 'kubectl get nodes'])
  assert.deepEqual(useCommands('/a b/kubectl', true), [
    "sudo env KUBECONFIG=/etc/kubernetes/admin.conf '/a b/kubectl' get nodes",
  ])
  assert.deepEqual(block(['a']), ['', '  a', ''])
})

test('helpText() names what is typed, and what kubeadm has not', () => {
  const text = helpText({
    name: 'init',
    about: 'A.',
    options: ['artifacts', 'token'],
    examples: ['init.mts --dry-run', 'reset.mts'],
  })
  assert.match(text, /^ {2}npx zx scripts\/init\.mts \[options\]$/m)
  assert.match(text, /^ {2}npx zx scripts\/init\.mts --dry-run\n {2}npx zx scripts\/reset\.mts$/m)
  assert.match(text, /--artifacts DIR .*nothing is downloaded \(not in kubeadm\)$/m)
  assert.doesNotMatch(text, /\(ours\)/)
})

test('helpText() of a sub-command is about that alone', () => {
  const command: Command = {
    name: 'etcd',
    about: 'All.',
    options: ['config'],
    subcommands: [
      { name: 'local', about: 'Make it' },
      { name: 'snapshot save', about: 'Save it', options: ['timeout'] },
    ],
    positionals: 'FILE',
    examples: ['etcd.mts local', 'etcd.mts snapshot save x', 'etcd.mts snapshot saves'],
  }
  const saving = helpText(command, 'snapshot save')
  assert.match(
    saving,
    /^Save it\.\n\nUsage:\n {2}npx zx scripts\/etcd\.mts snapshot save FILE \[options\]\n\nOptions:\n +--timeout/,
  )
  assert.match(saving, /Examples:\n {2}npx zx scripts\/etcd\.mts snapshot save x\n$/)
  // What it does without a word is the script's own help, which says where the others have theirs.
  const whole = helpText(command, 'local')
  assert.match(
    whole,
    /^All\.\n\nUsage:\n {2}npx zx scripts\/etcd\.mts \[SUB-COMMAND\] FILE \[options\]\n\nSub-commands:\n {2}local/,
  )
  assert.match(whole, /^Options of one alone: npx zx scripts\/etcd\.mts SUB-COMMAND --help$/m)
  assert.doesNotMatch(helpText({ ...command, examples: [] }, 'snapshot save'), /Examples/)
})
