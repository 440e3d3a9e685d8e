/** Inputs as a runner gives them, unchecked: main has refused what is wrong, post takes them as they are. */

import { INPUT_ROWS, type InputName } from './inputs.ts'
import type { Environment } from './runner-environment.ts'

/** What was given, trimmed; what was left empty is absent. */
export type Given = { readonly [Name in InputName]?: string }

/** What the names of variables begin with. */
export const PREFIX = 'INPUT_'

/** Reads the INPUT_ variables of the table. */
export function givenInputs(environment: Environment): Given {
  const rows = INPUT_ROWS.map(([name]) => [name, environment[`${PREFIX}${name.toUpperCase()}`]?.trim() ?? ''] as const)
  return Object.fromEntries(rows.filter(([, value]) => value !== ''))
}

/** The items of a list: separated by commas or line breaks. */
export function listItems(value: string | undefined): string[] {
  return (value ?? '')
    .split(/[,\n]/)
    .map(item => item.trim())
    .filter(item => item !== '')
}

/** Whether a switch is on; its default is filled in by the runner, so without a value it is off. */
export function isOn(value: string | undefined): boolean {
  return /^true$/i.test(value ?? '')
}
