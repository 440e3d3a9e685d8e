/** Further nodes of this machine that ran when it went down: they start when it boots, as its own kubelet does. */
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { reasonOf } from '../../base/errors.ts'
import { LAYOUT } from '../../base/paths.ts'
import { $ } from '../../machine/command.ts'
import { type LocalNode, localNodes, nodeRunFolder } from '../../machine/local-node/local-node.ts'
import { runtimeCommand } from '../../machine/service/runtime-command.ts'
import type { AgentContext, AgentPart } from './agent-part.ts'

const RETRY_MS = 5_000
const DAY_MS = 86_400_000

export const bootedNodes: AgentPart = {
  name: 'booted-nodes',
  // What nodes of a control plane answer for is waited for by all others.
  isFirst: true,
  run: async ({ say, signal }) => {
    let left = localNodes().filter(wentDown)
    while (!signal.aborted) {
      const failed: LocalNode[] = []
      // One after the other: they share a bridge.
      for (const node of left) if (!(await started(node, say))) failed.push(node)
      left = failed.filter(({ name }) => localNodes().some(node => node.name === name))
      await sleep(left.length > 0 ? RETRY_MS : DAY_MS, undefined, { signal }).catch(() => {})
    }
  },
}

async function started({ name }: LocalNode, say: AgentContext['say']): Promise<boolean> {
  say(`Starting node ${name}`)
  try {
    await $({ what: `node: cannot start node "${name}"` })`${runtimeCommand(LAYOUT.nodeProgram)} start ${name}`
    return true
  } catch (error) {
    say(reasonOf(error))
    return false
  }
}

// Who stopped it has said so in its record, and of a first process that was killed something is in /run.
function wentDown({ name, process }: LocalNode): boolean {
  return process !== undefined && !existsSync(nodeRunFolder(name))
}
