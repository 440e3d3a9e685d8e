#!/usr/bin/env -S npx zx
/** Makes this machine ready for a cluster, and takes that back. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { KubestepError, UsageError } from '../lib/base/errors.ts'
import { LAYOUT } from '../lib/base/paths.ts'
import { commandOf } from '../lib/cli/invocation.ts'
import { type OptionName, PHASE_OPTIONS } from '../lib/cli/options.ts'
import { type Call, type Script, script } from '../lib/cli/script.ts'
import { liveHost } from '../lib/machine/host/host-source.ts'
import { ALL, ITEMS } from '../lib/phases/prepare/items.ts'
import {
  chosenItems,
  faultsOf,
  makePlans,
  planItems,
  showPlans,
  undoPreparation,
} from '../lib/phases/prepare/prepare.ts'
import { openContext } from '../lib/phases/prepare/prepare-context.ts'
import { leftLines, preparationLeft } from '../lib/phases/reset/what-stays.ts'
import { alone } from '../lib/phases/run/machine-session.ts'

const OPTIONS: readonly OptionName[] = [
  'check',
  'undo',
  'install',
  'host-name',
  'time-zone',
  ...PHASE_OPTIONS.filter(name => name !== 'dry-run' && name !== 'output-dir'),
  'apiserver-advertise-address',
  'apiserver-bind-port',
  'control-plane-endpoint',
  'node-name',
  'pod-network-cidr',
  'service-cidr',
  'skip-phases',
]

export const prepare: Script = script(
  import.meta,
  {
    name: 'prepare',
    about:
      'Make this machine ready for a cluster: what init needs, or the items that are named; reset takes it back (ours).',
    options: OPTIONS,
    subcommands: [
      { name: ALL, about: 'every item, as far as an init needs it' },
      ...ITEMS.map(({ name, about }) => ({ name, about })),
    ],
    positionals: '[ITEM...]',
    examples: [
      'prepare.mts --check',
      'prepare.mts --install',
      'prepare.mts swap time-zone --time-zone Europe/Berlin',
      'prepare.mts --undo',
    ],
  },
  async call => {
    const { flags, output, positionals, subcommand } = call
    const root = resolve(flags.root ?? '/')
    const host = liveHost(root)
    if (flags.undo) {
      refuseWith(call, ['check', 'install', 'host-name', 'time-zone'])
      if (existsSync(LAYOUT.journal) && root === '/') {
        throw new KubestepError(
          `prepare: cannot undo: kubestep set up more on this machine since; take all of it away: ${commandOf('reset', true)}`,
        )
      }
      const undo = async (): Promise<void> => {
        const { count, failed } = await undoPreparation(host, output.say)
        if (failed.length > 0) throw new KubestepError(leftLines(preparationLeft(failed), call.name).join('\n'))
        output.say(count === 0 ? '[prepare] Nothing to undo' : `[prepare] Undid ${changes(count)}`)
      }
      await (root === '/' ? alone(call.name, 'run it again', undo) : undo())
      return
    }
    const items = chosenItems([subcommand, ...positionals, ...impliedItems(call)])
    const context = openContext(call, root)
    if (flags.check) {
      const plans = await planItems(items, context)
      const faults = faultsOf(plans)
      const isChange = showPlans(plans, host, output.say)
      if (!isChange && faults.length === 0) output.say('[prepare] Nothing to change')
      if (faults.length > 0) throw new KubestepError(faults.join('\n'))
      if (isChange) process.exitCode = 1
      return
    }
    const work = async (): Promise<void> => {
      const count = await makePlans(await planItems(items, context), host, output.say)
      output.say(
        count === 0
          ? '[prepare] Nothing to change'
          : `[prepare] Made ${changes(count)}; to take them back: ${commandOf('prepare', true)} --undo`,
      )
    }
    await (root === '/' ? alone(call.name, 'run it again, or with --undo', work) : work())
  },
)

/** Values name their items. */
function impliedItems({ flags }: Call): string[] {
  return [
    ...(flags['host-name'] === undefined ? [] : ['host-name']),
    ...(flags['time-zone'] === undefined ? [] : ['time-zone']),
  ]
}

function changes(count: number): string {
  return count === 1 ? '1 change' : `${count} changes`
}

function refuseWith(
  { flags, subcommand, positionals }: Call,
  names: readonly ('check' | 'install' | 'host-name' | 'time-zone')[],
): void {
  const given = names.filter(name => flags[name] !== undefined).map(name => `--${name}`)
  const faults = [...given, ...(subcommand === ALL ? [] : [subcommand]), ...positionals]
  if (faults.length > 0) {
    throw new UsageError(`prepare: cannot use ${faults.join(', ')} with --undo: it takes everything back; leave it out`)
  }
}
