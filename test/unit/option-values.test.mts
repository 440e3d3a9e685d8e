import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { INPUT_ROWS } from '../../lib/action/inputs.ts'
import { ARCHITECTURES } from '../../lib/base/platform.ts'
import { TOKEN_USAGES } from '../../lib/base/token.ts'
import { meaningOf, type Option, placeholderOf } from '../../lib/cli/option.ts'
import { valueFaults } from '../../lib/cli/option-values.ts'
import { OPTIONS, type OptionName } from '../../lib/cli/options.ts'
import { FOREIGN_OPTIONS, foreignOption } from '../../lib/cli/typing-habits.ts'
import { GATES } from '../../lib/cluster/ready/gates.ts'
import { COMPONENT_DEFAULTS } from '../../lib/kubeadm/config/print-defaults.ts'
import { ADDONS } from '../../lib/kubeadm/objects/addon-objects.ts'

const ROWS = Object.entries(OPTIONS) as readonly (readonly [OptionName, Option])[]

/** Where the choices of an option come from. */
const SOURCES: Readonly<Partial<Record<OptionName, readonly string[]>>> = {
  wait: ['all', 'none', ...GATES.map(({ name }) => name)],
  arch: ARCHITECTURES.map(({ go }) => go),
  addons: ['none', ...ADDONS.map(({ name }) => name)],
  usages: TOKEN_USAGES,
  'component-configs': Object.keys(COMPONENT_DEFAULTS),
}

describe('the table of options', () => {
  for (const [name, choices] of Object.entries(SOURCES)) {
    test(`--${name} has the choices of the table that it is for`, () => {
      assert.deepEqual([...((OPTIONS[name as OptionName] as Option).choices ?? [])].sort(), [...choices].sort())
    })
  }

  test('what stands for a value names all choices, or help does beside it', () => {
    for (const [name, option] of ROWS) {
      if (option.type === 'boolean') continue
      const shown = `${placeholderOf(option)} ${meaningOf(option)}`
      assert.notEqual(placeholderOf(option), '', name)
      for (const choice of option.choices ?? []) assert.ok(shown.includes(choice), `--${name}: ${choice}`)
      // A list in the placeholder that nothing checks is a promise that is not held.
      if (/^[a-z|]+\|[a-zA-Z|]+$/.test(placeholderOf(option))) assert.ok(option.choices, name)
    }
  })

  test('every default that is a word is a choice', () => {
    for (const [name, { choices, default: fallback, list }] of ROWS) {
      if (choices === undefined || fallback === undefined || fallback.includes(' ')) continue
      for (const item of list ? fallback.split(',') : [fallback]) assert.ok(choices.includes(item), name)
    }
  })

  test('the inputs of the action have the choices of their options', () => {
    for (const [name, { choices, flag }] of INPUT_ROWS) {
      const option: Option | undefined = flag && OPTIONS[flag]
      if (choices === undefined || option === undefined) continue
      assert.deepEqual([...choices].sort(), [...(option.choices ?? [])].sort(), name)
    }
  })
})

test('every value beside a choice is refused, in any case, cut off or empty', () => {
  for (const [name, option] of ROWS) {
    for (const choice of option.choices ?? []) {
      assert.deepEqual(valueFaults(option, choice), [], `--${name} ${choice}`)
      for (const wrong of [choice.toUpperCase(), choice.slice(0, -1), `${choice} `, '', 'nonsense']) {
        if (option.choices?.includes(wrong)) continue
        const [fault = ''] = valueFaults(option, wrong)
        assert.match(fault, /use (one|some) of /, `--${name} ${JSON.stringify(wrong)}`)
        if (wrong === choice.toUpperCase()) assert.ok(fault.includes(`did you mean ${choice}?`), `--${name}: ${fault}`)
      }
    }
  }
})

const WRONG: readonly (readonly [OptionName, value: string, fault: RegExp])[] = [
  ['profile', 'CI', /^it is not known; use one of kubeadm, ci; did you mean ci\?$/],
  ['wait', '120s', /how long to wait is --timeout/],
  ['wait', 'node,dnss', /^"dnss" is not known; .*did you mean dns\?$/],
  ['wait', 'all,node', /^"all" stands alone/],
  ['wait', 'node,', /^it is empty/],
  ['cni', 'flannel', /with none you apply any other network yourself/],
  ['runtime', 'docker', /a socket's path, .*Docker itself serves no CRI/],
  ['runtime', 'unix://', /use one of auto, private or a socket's path/],
  ['runtime', 'tcp://127.0.0.1:1', /use one of auto, private or a socket's path/],
  ['arch', 'x86_64', /its name here is amd64/],
  ['addons', 'metallb', /its name here is load-balancer/],
  ['addons', 'none,storage', /^"none" stands alone/],
  ['registry', 'http://localhost:5000', /it is not a registry; write host and port, without a scheme/],
  ['registry', 'localhost', /it is not a registry/],
  ['registry', 'localhost:0', /it is not a registry/],
  ['registry', 'localhost:5000/app', /it is not a registry/],
  ['registry', 'a=b:5000', /it is not a registry/],
  ['usages', 'sign', /did you mean signing\?/],
  ['component-configs', 'kubelet', /did you mean KubeletConfiguration\?/],
  ['timeout', '300', /it has a number without a unit/],
  ['timeout', '-5s', /it is not above zero/],
  ['timeout', '0', /it is not above zero/],
  ['rounds', '0', /it is not a whole number from 1 on/],
]
for (const [name, value, fault] of WRONG) {
  test(`valueFaults() refuses --${name} "${value}"`, () => {
    assert.match(valueFaults(OPTIONS[name], value).join('\n'), fault)
  })
}

for (const [name, value] of [
  ['runtime', '/run/crio/crio.sock'],
  ['runtime', 'unix:///run/containerd/containerd.sock'],
  ['wait', 'node,api'],
  ['timeout', '1h30m'],
  ['rounds', '12'],
  ['registry', 'localhost:5000'],
  ['registry', 'registry.test:443'],
  ['registry', '[::1]:5000'],
  ['cert-dir', 'anything'],
] as const) {
  test(`valueFaults() takes --${name} "${value}"`, () => assert.deepEqual(valueFaults(OPTIONS[name], value), []))
}

test('foreignOption() names options that there are, and only where they may be used', () => {
  const names = FOREIGN_OPTIONS.flatMap(row => row.names)
  assert.equal(new Set(names).size, names.length)
  for (const { names: foreign, use } of FOREIGN_OPTIONS) {
    if (!use.includes(' ')) assert.ok(use in OPTIONS, use)
    // What some scripts take others speak of.
    for (const name of foreign) assert.ok(!(name in OPTIONS) || use.includes(' '), name)
  }
  assert.equal(foreignOption('rootfs', ['root']), 'use --root')
  assert.equal(foreignOption('rootfs', ['config']), undefined)
})
