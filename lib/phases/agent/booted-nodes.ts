/** Further nodes of this machine that ran when it went down: they start when it boots, as its own kubelet does. */
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { reasonOf } from '../../base/errors.ts'
import { LAYOUT } from '../../base/paths.ts'
import { $ } from '../../machine/command.ts'
import { type LocalNode, localNodes, nodeRunFolder } from '../../machine/local-node/local-node.ts'
import { runtimeCommand } from '../../machine/service/runtime-command.ts'
import type { AgentPart } from './agent-part.ts'

const DAY_MS = 86_400_000

export const bootedNodes: AgentPart = {
  name: 'booted-nodes',
  // What nodes of a control plane answer for is waited for by all others.
  isFirst: true,
  run: async ({ say, signal }) => {
    // One after the other: they share a bridge.
    for (const { name } of localNodes().filter(wentDown)) {
      say(`Starting node ${name}`)
      await $({ what: `node: cannot start node "${name}"` })`${runtimeCommand(LAYOUT.nodeProgram)} start ${name}`.catch(
        (error: unknown) => say(reasonOf(error)),
      )
    }
    while (!signal.aborted) await sleep(DAY_MS, undefined, { signal }).catch(() => {})
  },
}

// Who stopped it has said so in its record, and of a first process that was killed something is in /run.
function wentDown({ name, process }: LocalNode): boolean {
  return process !== undefined && !existsSync(nodeRunFolder(name))
}
