import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Command, optionsOf, parseArguments, positionalsOf, type Subcommand } from '../../lib/cli/arguments.ts'
import { fits, INERT_FLAGS, KUBEADM_COMMANDS, REFUSED_FLAGS } from '../../lib/cli/kubeadm-commands.ts'
import { COMMON, OPTIONS, type Option } from '../../lib/cli/options.ts'
import type { Script } from '../../lib/cli/script.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Flags by command, as `kubeadm COMMAND --help` of v1.36.2 lists them, with inherited ones; a short name stands behind. */
const RECORDED = JSON.parse(readFileSync(join(ROOT, 'test/data/kubeadm-flags.json'), 'utf8')) as Readonly<
  Record<string, readonly string[]>
>

/** Commands by the name of their script. */
const commands = new Map<string, Command>()

before(async () => {
  const names = readdirSync(join(ROOT, 'scripts')).filter(
    name => name.endsWith('.mts') && !/^(action|build)/.test(name),
  )
  for (const name of names) {
    const exported = Object.values((await import(join(ROOT, 'scripts', name))) as Readonly<Record<string, unknown>>)
    const command = exported.map(value => (value as Partial<Script> | undefined)?.command).find(Boolean)
    if (command !== undefined) commands.set(command.name, command)
  }
})

function find(place: string): { readonly command: Command; readonly subcommand?: Subcommand } | undefined {
  const [name = '', ...words] = place.split(' ')
  const command = commands.get(name)
  if (command === undefined) return undefined
  if (words.length === 0) return { command }
  const subcommand = command.subcommands?.find(sub => sub.name === words.join(' '))
  return subcommand === undefined ? undefined : { command, subcommand }
}

/** What stands in the first line of `kubeadm COMMAND --help` of v1.36.2; etcd's are ours. */
const POSITIONALS: readonly (readonly [place: string, positionals: string | undefined])[] = [
  ['token create', '[TOKEN]'],
  ['token delete', 'TOKEN...'],
  ['token list', undefined],
  ['token generate', undefined],
  ['upgrade plan', '[VERSION]'],
  ['upgrade diff', '[VERSION]'],
  ['upgrade apply', '[VERSION]'],
  ['upgrade apply phase preflight', '[VERSION]'],
  ['upgrade node', undefined],
  ['upgrade node phase preflight', undefined],
  ['etcd local', undefined],
  ['etcd snapshot save', 'FILE'],
]

for (const [place, positionals] of POSITIONALS) {
  test(`${place} takes ${positionals ?? 'no arguments'}`, () => {
    const { command, subcommand } = find(place) ?? {}
    assert.ok(command !== undefined && subcommand !== undefined)
    assert.equal(positionalsOf(command, subcommand), positionals)
    const parse = (): unknown => parseArguments(command, [...place.split(' ').slice(1), 'one-more'])
    if (positionals === undefined) assert.throws(parse, /cannot take argument "one-more"/)
    else assert.doesNotThrow(parse)
  })
}

describe('kubeadm', () => {
  for (const [kubeadm, flags] of Object.entries(RECORDED).filter(([name]) => name !== '')) {
    test(`${kubeadm}: has its place, which takes its flags, or the table says why not`, () => {
      const row = KUBEADM_COMMANDS.find(({ kubeadm: pattern }) => fits(pattern, kubeadm))
      assert.ok(row !== undefined, 'no row of KUBEADM_COMMANDS is about it')
      const place = row.here?.replace('*', kubeadm.slice(row.kubeadm.length - 1))
      if (place === undefined) {
        assert.ok(row.why, 'the row has neither a place nor a reason')
        return
      }
      const found = find(place)
      assert.ok(found !== undefined, `there is no "${place}"`)
      const taken = new Set<string>([...optionsOf(found.command, found.subcommand), ...COMMON])
      const missing = flags.map(flag => flag.split(' ')[0] ?? '').filter(flag => !taken.has(flag.slice(2)))
      assert.deepEqual(missing, [])
      for (const flag of flags) {
        const [long = '', short] = flag.split(' ')
        if (short !== undefined) assert.equal((OPTIONS as Record<string, Option>)[long.slice(2)]?.short, short.slice(1))
      }
    })
  }

  test('KUBEADM_COMMANDS has no row that is about nothing, and none that says of what is there that it is not', () => {
    const names = Object.keys(RECORDED)
    for (const { kubeadm, here, why } of KUBEADM_COMMANDS) {
      const meant = names.filter(name => fits(kubeadm, name))
      assert.ok(meant.length > 0, kubeadm)
      assert.notEqual(here === undefined, why === undefined, kubeadm)
      if (why !== undefined) for (const name of meant) assert.equal(find(name), undefined, name)
    }
  })

  test('INERT_FLAGS and REFUSED_FLAGS have no row that is about nothing', () => {
    for (const { flag, commands: patterns } of INERT_FLAGS) {
      for (const pattern of patterns) {
        const meant = Object.entries(RECORDED).filter(([name]) => fits(pattern, name))
        assert.ok(
          meant.some(([, flags]) => flags.some(other => other.split(' ')[0] === flag)),
          `${flag} of ${pattern}`,
        )
      }
    }
    for (const { flag } of REFUSED_FLAGS) {
      assert.ok(RECORDED['']?.includes(flag), flag)
      assert.equal(flag.slice(2) in OPTIONS, false, flag)
    }
  })

  for (const line of [
    'reset -f',
    'reset --force --cri-socket unix:///run/x.sock --cert-dir /a --cleanup-tmp-dir --kubeconfig /b --ignore-preflight-errors all',
    'reset --skip-phases preflight,cleanup-node',
    'token delete abcdef --dry-run --kubeconfig /b',
    'config validate --config f.yaml --allow-deprecated-api --allow-experimental-api',
    'preflight --dry-run --image-repository example.org/k8s',
  ]) {
    test(line, () => {
      const [name = '', ...argv] = line.split(' ')
      const command = commands.get(name)
      assert.ok(command !== undefined)
      assert.doesNotThrow(() => parseArguments(command, argv))
    })
  }
})
