import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UsageError } from '../../lib/base/errors.ts'
import { type Command, parseArguments } from '../../lib/cli/arguments.ts'

const COMMAND: Command = {
  name: 'certs',
  about: 'Make certificates.',
  options: ['config', 'cert-dir', 'dry-run', 'skip-phases'],
  subcommands: [
    { name: 'all', about: 'all of them' },
    { name: 'apiserver', about: 'one of them' },
    { name: 'generate csr', about: 'two words, its own options', options: ['csr-dir'] },
  ],
  examples: ['certs.mts all'],
}

const RIGHT: readonly (readonly [argv: string, flags: object, subcommand: string])[] = [
  ['', {}, 'all'],
  ['apiserver --cert-dir /x', { 'cert-dir': '/x' }, 'apiserver'],
  ['--cert-dir=/x apiserver', { 'cert-dir': '/x' }, 'apiserver'],
  ['--dry-run', { 'dry-run': true }, 'all'],
  ['--dry-run=false', { 'dry-run': false }, 'all'],
  ['--skip-phases a --skip-phases=b,c', { 'skip-phases': 'a,b,c' }, 'all'],
  ['--cert-dir /x --cert-dir /y', { 'cert-dir': '/y' }, 'all'],
  ['-o json -q', { output: 'json', quiet: true }, 'all'],
  ['generate csr --csr-dir d', { 'csr-dir': 'd' }, 'generate csr'],
  ['--config -', { config: '-' }, 'all'],
  ['--v=5', { verbose: true }, 'all'],
  ['-v 5 --dry-run', { verbose: true, 'dry-run': true }, 'all'],
  ['-v=10', { verbose: true }, 'all'],
  ['-v6 apiserver', { verbose: true }, 'apiserver'],
  ['--v 5', { verbose: true }, 'all'],
  ['--v', { verbose: true }, 'all'],
  ['--v=4 -v 0', {}, 'all'],
  ['-v apiserver', { verbose: true }, 'apiserver'],
  ['--cert-dir -x', { 'cert-dir': '-x' }, 'all'],
]

for (const [argv, flags, subcommand] of RIGHT) {
  test(`parseArguments() reads "${argv}"`, () => {
    const parsed = parseArguments(COMMAND, argv.split(' ').filter(Boolean))
    assert.deepEqual({ ...parsed.flags }, flags)
    assert.equal(parsed.subcommand, subcommand)
  })
}

const WRONG: readonly (readonly [argv: string, ...messages: RegExp[]])[] = [
  ['--cert-dri x', /unknown here; did you mean --cert-dir\?/],
  ['apisrver', /sub-command "apisrver": did you mean "apiserver"\?/],
  ['nonsense-altogether', /use one of all, apiserver, generate csr/],
  ['all extra', /cannot take argument "extra": "all" takes options only; see --help/],
  ['generate', /cannot run "generate": it needs one more word of: csr/],
  ['-o jsonpath={.a}', /--output "jsonpath=\{\.a\}": .* there is no output by templates; programs like jq read json/],
  ['--config', /--config: it needs a value; write --config=FILE/],
  ['--dry-run=maybe', /--dry-run "maybe": it is a switch/],
  ['--csr-dir d', /option "--csr-dir": it is unknown here/],
  ['--cert-dir --dry-run', /--cert-dir: it needs a value; write --cert-dir=DIR/],
  ['all --dry-run false', /argument "false": write the value of a switch behind =, as in --dry-run=false/],
  ['-o jsn', /--output "jsn": it is not known; use one of text, json; did you mean json\?/],
  ['--rootfs=/x', /it is unknown here; see --help/],
  ['--force', /nothing is asked here; leave it out/],
  ['--v=high', /option "--v": it is unknown here; write --verbose, or a level as in --v=5/],
  ['--experimental-upload-certs', /see --help/],
  ['apiserver --confg x --dryrun', /did you mean --config/, /did you mean --dry-run/],
]

for (const [argv, ...messages] of WRONG) {
  test(`parseArguments() refuses "${argv}" and says what is right`, () => {
    assert.throws(
      () => parseArguments(COMMAND, argv.split(' ')),
      error => error instanceof UsageError && messages.every(message => message.test(error.message)),
    )
  })
}

test('parseArguments() reports all faults of a line at once', () => {
  assert.throws(
    () => parseArguments(COMMAND, ['--x1', '--x2', '--cert-dir']),
    (error: Error) => error.message.split('\n').length === 3,
  )
})
