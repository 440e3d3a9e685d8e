#!/usr/bin/env -S npx zx
/** Checks, converts and prints configuration files of kubeadm. */
import { resolve } from 'node:path'
import { UsageError } from '../lib/base/errors.ts'
import type { JsonObject } from '../lib/base/json.ts'
import { stringify } from '../lib/base/yaml.ts'
import type { OptionName } from '../lib/cli/options.ts'
import { type Call, type Script, script } from '../lib/cli/script.ts'
import { migrateConfig, validateConfig } from '../lib/kubeadm/config/config-file.ts'
import {
  COMPONENT_DEFAULTS,
  initDefaults,
  joinDefaults,
  resetDefaults,
  upgradeDefaults,
} from '../lib/kubeadm/config/print-defaults.ts'
import { readFile, rewriteFile, writeFiles } from '../lib/machine/files.ts'
import type { HostFacts } from '../lib/machine/host/facts.ts'
import { readHostFacts } from '../lib/machine/host/read-facts.ts'
import { readConfigFile } from '../lib/phases/run/open-phase.ts'
import { INERT_OPTIONS, LIST_OPTIONS, PULL_OPTIONS } from '../lib/supply/images/image-options.ts'

/** Which API versions a file may have. */
const APIS: readonly OptionName[] = ['allow-deprecated-api', 'allow-experimental-api']
/** kubeadm's that has nothing to say here: no command asks a cluster. */
const INERT: readonly OptionName[] = ['kubeconfig']

type Recipe = (call: Call, facts: HostFacts) => void | Promise<void>

const RECIPES: Readonly<Record<string, Recipe>> = {
  validate,
  migrate,
  'print init-defaults': (call, facts) => print(call, initDefaults(facts, componentKinds(call))),
  'print join-defaults': (call, facts) => print(call, [joinDefaults(facts)]),
  'print reset-defaults': (call, facts) => print(call, [resetDefaults(facts)]),
  'print upgrade-defaults': (call, facts) => print(call, [upgradeDefaults(facts)]),
  'images list': async call => (await import('./images.mts')).list(call),
  'images pull': async call => (await import('./images.mts')).pullAll(call, 'config/images'),
}

export const config: Script = script(
  import.meta,
  {
    name: 'config',
    about: 'Check, convert and print configuration files of kubeadm.',
    options: [],
    subcommands: [
      {
        name: 'validate',
        about: 'Check a file; all faults are named at once',
        options: ['config', ...APIS, ...INERT],
      },
      {
        name: 'migrate',
        about: 'Rewrite a file in the newest API version',
        options: ['old-config', 'new-config', ...APIS, ...INERT],
      },
      {
        name: 'print init-defaults',
        about: 'Print the defaults of init',
        options: ['component-configs', ...INERT],
      },
      { name: 'print join-defaults', about: 'Print the defaults of join', options: INERT },
      { name: 'print reset-defaults', about: 'Print the defaults of reset', options: INERT },
      { name: 'print upgrade-defaults', about: 'Print the defaults of upgrade', options: INERT },
      { name: 'images list', about: 'What images.mts list does', options: [...LIST_OPTIONS, ...INERT_OPTIONS] },
      { name: 'images pull', about: 'What images.mts pull does', options: [...PULL_OPTIONS, ...INERT] },
    ],
    needsSubcommand: true,
    outputs: ['yaml'],
    examples: [
      'config.mts validate --config kubeadm.yaml',
      'config.mts migrate --old-config old.yaml --new-config new.yaml',
      'config.mts print init-defaults --component-configs KubeletConfiguration',
    ],
  },
  async call => RECIPES[call.subcommand]?.(call, readHostFacts('/')),
)

function validate(call: Call, facts: HostFacts): void {
  const file = required(call, 'config')
  const source = { ...readConfigFile(file), flags: call.flags, detectCriSocket: false, guessNames: true, exists }
  for (const notice of validateConfig(source, facts).notices) call.output.warn(notice)
  call.output.result('ok\n')
}

function migrate(call: Call, facts: HostFacts): void {
  const file = required(call, 'old-config')
  const { text, notices } = migrateConfig({ ...readConfigFile(file), guessNames: true, exists }, facts)
  for (const notice of notices) call.output.warn(notice)
  const target = call.flags['new-config']
  if (target === undefined) call.output.result(text)
  // A file that is there keeps its mode, which may hide tokens, and the links to it.
  else if (exists(resolve(target))) rewriteFile('/', resolve(target), text)
  else writeFiles('/', [{ path: resolve(target), mode: 0o644, content: text }])
}

function print(call: Call, documents: readonly JsonObject[]): void {
  call.output.result(documents.map(stringify).join('---\n'))
}

function componentKinds(call: Call): readonly string[] {
  const kinds = (call.flags['component-configs'] ?? '').split(',').filter(kind => kind !== '')
  const unknown = kinds.filter(kind => COMPONENT_DEFAULTS[kind] === undefined)
  if (unknown.length > 0) {
    throw new UsageError(
      `config: cannot print ${unknown.map(kind => JSON.stringify(kind)).join(', ')}: unknown kind; use ${Object.keys(COMPONENT_DEFAULTS).join(', ')}`,
    )
  }
  return kinds
}

function required(call: Call, flag: 'config' | 'old-config'): string {
  const value = call.flags[flag]
  if (value === undefined || value === '') {
    throw new UsageError(`config: cannot ${call.subcommand}: no file is named; add --${flag} FILE`)
  }
  return value
}

// What cannot be read is there all the same.
function exists(path: string): boolean {
  try {
    return readFile('/', path) !== undefined
  } catch {
    return true
  }
}
