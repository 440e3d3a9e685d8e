/** Inputs as a runner gives them: read, checked, all faults at once. */

import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseSubnet } from '../base/address.ts'
import { DEFAULT_VERSION } from '../base/defaults.ts'
import { durationFault, parseDuration } from '../base/duration.ts'
import { nearest } from '../base/nearest.ts'
import { valueFaults } from '../cli/option-values.ts'
import { OPTIONS } from '../cli/options.ts'
import { lostZero } from '../kubeadm/config/named-versions.ts'
import { componentFaults } from './component-args.ts'
import { foreignInput } from './foreign-inputs.ts'
import { type Given, givenInputs, listItems, PREFIX } from './given-inputs.ts'
import { INPUT_ROWS, INPUTS, type Input, type InputKind, type InputName } from './inputs.ts'
import type { Environment } from './runner-environment.ts'

export interface ReadInputs {
  readonly given: Given
  /** One line each. */
  readonly faults: readonly string[]
  /** Inputs that are not in the table, one line each. */
  readonly unknown: readonly string[]
}

/** Reads the INPUT_ variables; paths are relative to `workspace`. Never throws. */
export function readInputs(environment: Environment, workspace: string): ReadInputs {
  const given = givenInputs(environment)
  const faults = INPUT_ROWS.flatMap(([name, input]) => {
    const value = given[name]
    if (value === undefined) return []
    return [...CHECKS[input.kind](value, input, workspace), ...optionFaults(value, input)].map(
      reason => `action: cannot use input "${name}" ${JSON.stringify(shown(value))}: ${reason}`,
    )
  })
  return { given, faults, unknown: unknownInputs(environment) }
}

/** What the option that the input becomes would say; choices have been looked at. */
function optionFaults(value: string, { kind, flag }: Input): readonly string[] {
  if (flag === undefined || kind === 'choice') return []
  return valueFaults(OPTIONS[flag], kind === 'list' ? listItems(value).join(',') : value)
}

/** Whether the value of `config` is the YAML itself and not a path. */
export function isInline(value: string): boolean {
  return value.includes('\n') || /^\s*(apiVersion|kind|nodes)\s*:|^\s*[{[]/.test(value)
}

/** Whether `nodes` is their number, or is meant to be one. */
export function isCount(value: string): boolean {
  return /^[-+.\d]*$/.test(value)
}

function unknownInputs(environment: Environment): string[] {
  const names = INPUT_ROWS.filter(([, { internal }]) => !internal).map(([name]) => name)
  return Object.keys(environment)
    .filter(key => key.startsWith(PREFIX))
    .map(key => key.slice(PREFIX.length).toLowerCase())
    .filter(name => !(name in INPUTS))
    .sort()
    .map(name => `action: cannot use input "${name}": it is unknown; ${hint(name, names)}`)
}

function hint(name: string, names: readonly InputName[]): string {
  const foreign = foreignInput(name)
  if (foreign !== undefined) return names.includes(foreign as InputName) ? `use ${foreign}` : foreign
  const near = nearest(name.replaceAll('_', '-'), names)
  return near === undefined ? `the inputs are ${names.join(', ')}` : `did you mean ${near}?`
}

const LONGEST = 60

function shown(value: string): string {
  const line = value.split('\n')[0] ?? ''
  return line.length === value.length && line.length <= LONGEST ? line : `${line.slice(0, LONGEST)}...`
}

function configFaults(value: string, _input: Input, workspace: string): readonly string[] {
  if (isInline(value)) return []
  const path = resolve(workspace, value)
  if (!existsSync(path))
    return [`there is no such file in "${workspace}"; correct the path, or check the repository out first`]
  return statSync(path).isDirectory() ? ['it is a folder; name a file in it'] : []
}

type Check = (value: string, input: Input, workspace: string) => readonly string[]

/** What is wrong with a value of each kind. */
const CHECKS: Readonly<Record<InputKind, Check>> = {
  text: value => (value.includes('\n') ? ['it has several lines; write one'] : []),
  version: value => {
    const zero = lostZero(value)
    if (zero !== undefined) return [zero]
    return /^(?:release\/|ci\/)?(?:v?\d+\.\d+(?:\.\d+[-+.\w]*)?|[a-z][-.a-z0-9]*)$/.test(value)
      ? []
      : [`it is not a version; write it like ${DEFAULT_VERSION}, 1.36, stable or latest`]
  },
  switch: value => (/^(true|false)$/i.test(value) ? [] : ['it is a switch; write true or false']),
  choice: (value, { choices = [] }) => {
    if (choices.includes(value)) return []
    const near = nearest(value, choices)
    return [`it is not known; ${near === undefined ? `use one of ${choices.join(', ')}` : `did you mean ${near}?`}`]
  },
  duration: value => {
    const fault = durationFault(value) ?? (parseDuration(value) > 0n ? undefined : 'it is not above zero; give more')
    return fault === undefined ? [] : [fault]
  },
  port: value =>
    /^\d{1,5}$/.test(value) && Number(value) > 0 && Number(value) < 65_536
      ? []
      : ['it is not a port; write a number from 1 to 65535'],
  subnets: value =>
    listItems(value)
      .filter(item => parseSubnet(item) === undefined)
      .map(item => `${JSON.stringify(item)} is not a range of addresses; write it like 10.244.0.0/16`),
  list: () => [],
  gates: value =>
    listItems(value)
      .filter(item => !/^\w+=(true|false)$/i.test(item))
      .map(item => `${JSON.stringify(item)} is neither NAME=true nor NAME=false; correct it`),
  settings: value =>
    listItems(value)
      .filter(item => !/^[^=\s]+=[^\s]*$/.test(item))
      .map(item => `${JSON.stringify(item)} is not NAME=VALUE; correct it`),
  arguments: componentFaults,
  config: configFaults,
  nodes: (value, _input, workspace) => (isCount(value) ? [] : configFaults(value, _input, workspace)),
  file: (value, _input, workspace) => {
    const path = resolve(workspace, value)
    if (!existsSync(path)) return [`there is no such file in "${workspace}"; correct the path`]
    return statSync(path).isFile() ? [] : ['it is not a file; name one']
  },
  folder: (value, _input, workspace) => {
    const path = resolve(workspace, value)
    if (!existsSync(path)) return [`there is no such folder in "${workspace}"; correct the path`]
    return statSync(path).isDirectory() ? [] : ['it is a file; name the folder']
  },
}
