/** From inputs to what `upgrade apply` is given, in a step with `upgrade-to`: the cluster is there already. */
import type { Given } from './given-inputs.ts'
import { asArguments, flagsOf } from './init-arguments.ts'
import { INPUT_ROWS, type InputName } from './inputs.ts'

/** What an upgrade takes besides its version: where its parts come from, what it passes over, how long it may take. */
export const UPGRADE_INPUTS: readonly InputName[] = [
  'artifacts',
  'mirrors',
  'lock',
  'offline',
  'patches',
  'ignore-preflight-errors',
  'timeout',
]

/** Inputs that can do nothing beside `upgrade-to`, a line each; what the runner fills in is nobody's wish. */
export function upgradeFaults(given: Given): string[] {
  if (given['upgrade-to'] === undefined) return []
  return INPUT_ROWS.flatMap(([name, { default: filledIn, implied, internal }]) => {
    const value = given[name]
    if (value === undefined || internal || name === 'upgrade-to' || UPGRADE_INPUTS.includes(name)) return []
    return !implied && value === filledIn
      ? []
      : [
          `action: cannot use input "${name}" beside upgrade-to: the cluster is there already; give it to the step that makes the cluster`,
        ]
  })
}

/** The flags of `upgrade apply`. */
export function upgradeFlags(given: Given, workspace: string): string[] {
  const taken = Object.fromEntries(UPGRADE_INPUTS.map(name => [name, given[name]]))
  return asArguments(flagsOf(taken, workspace))
}
