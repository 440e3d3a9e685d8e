#!/usr/bin/env -S npx zx
/** The further nodes of a cluster on this machine: which there are, failures of theirs to try, and their end. */
import { type Script, script } from '../lib/cli/script.ts'
import { localNodes } from '../lib/machine/local-node/local-node.ts'
import {
  cutNode,
  deleteNode,
  findNode,
  freezeNode,
  startHere,
  startNode,
  stateOf,
  stopNode,
} from '../lib/phases/nodes/node-commands.ts'

export const node: Script = script(
  import.meta,
  {
    name: 'node',
    about: 'Show the further nodes on this machine, and stop, freeze, cut off, start or delete one (ours).',
    options: [],
    needsSubcommand: true,
    subcommands: [
      { name: 'list', about: 'name, role, state and addresses of each' },
      { name: 'start', about: 'have a node run that was stopped, frozen or cut off', positionals: '[NAME]' },
      { name: 'stop', about: 'end everything in a node at once, as when its plug is pulled', positionals: 'NAME' },
      { name: 'freeze', about: 'stop every process of a node where it is', positionals: 'NAME' },
      { name: 'partition', about: 'cut a node off from all others: its cable is pulled', positionals: 'NAME' },
      { name: 'delete', about: 'end a node for good and take it out of the cluster', positionals: 'NAME' },
    ],
    examples: ['node.mts list', 'node.mts freeze NAME', 'node.mts start NAME'],
  },
  async call => {
    const { subcommand, positionals, output } = call
    if (subcommand === 'list') {
      const rows = localNodes().map(one => [one.name, one.role, stateOf(one), one.addresses.join(',')].join('\t'))
      output.result(rows.map(row => `${row}\n`).join(''))
      return
    }
    if (subcommand === 'start' && (await startHere())) return
    const found = findNode(positionals[0])
    if (subcommand === 'start') await startNode(found)
    if (subcommand === 'stop') await stopNode(found)
    if (subcommand === 'freeze') freezeNode(found)
    if (subcommand === 'partition') await cutNode(found)
    if (subcommand === 'delete') await deleteNode(found, call)
    output.say(`[node] ${found.name}: ${subcommand === 'delete' ? 'gone' : stateOf(findNode(found.name))}`)
  },
)
