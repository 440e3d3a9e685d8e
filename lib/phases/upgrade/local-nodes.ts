/** Further nodes on this machine: nobody logs in to them, so an upgrade of the first goes on with each of them. */
import { resolve } from 'node:path'
import { KubestepError } from '../../base/errors.ts'
import { LAYOUT } from '../../base/paths.ts'
import { scriptCommand } from '../../cli/invocation.ts'
import type { Flags, OptionName } from '../../cli/options.ts'
import type { Call } from '../../cli/script.ts'
import { $ } from '../../machine/command.ts'
import { writeFiles } from '../../machine/files.ts'
import { type LocalNode, localNodes, pidOf, stateOfNode } from '../../machine/local-node/local-node.ts'
import { inWorld } from '../../machine/local-node/world.ts'
import { timeLeft } from './node-access.ts'

/** Options of `apply` that count for every node. */
const PASSED_ON: readonly OptionName[] = [
  'artifacts',
  'cache-dir',
  'certificate-renewal',
  'config',
  'drain',
  'etcd-upgrade',
  'ignore-preflight-errors',
  'lock',
  'offline',
  'patches',
]
const PATHS: readonly OptionName[] = ['artifacts', 'cache-dir', 'config', 'lock', 'patches']

/** Passwords may be in it, and a command line is there for all to see. */
const MIRRORS = `${LAYOUT.upgrade}/mirrors`

/** Upgrades them one after the other, control planes first. Throws a KubestepError with what one of them said. */
export async function upgradeLocalNodes({ flags, output }: Pick<Call, 'flags' | 'output'>): Promise<void> {
  for (const node of inOrder(localNodes())) {
    const { name } = node
    if (pidOf(node) === undefined) {
      output.warn(`[upgrade] Node "${name}" does not run, so it stays as it is: start it, then run this again`)
      continue
    }
    const mirrors = flags.mirror === undefined ? [] : [`--mirror=@${MIRRORS}`]
    if (flags.mirror !== undefined)
      writeFiles('/', [{ path: stateOfNode(name, MIRRORS), mode: 0o600, content: `${flags.mirror}\n` }])
    const command = inWorld(node, [...scriptCommand('upgrade'), 'node', ...passedOn(flags), ...mirrors])
    const task = output.begin(name, `[upgrade] Upgrading node "${name}"`)
    const { exitCode, stderr } = await $({ nothrow: true })`${command}`
    if (exitCode !== 0) throw new KubestepError(`upgrade: cannot upgrade node "${name}": ${stderr.trim()}`)
    task.done(`[upgrade] Node "${name}" was upgraded, too`)
  }
}

/** Nothing may be newer than the API servers. */
export function inOrder(nodes: readonly LocalNode[]): LocalNode[] {
  return nodes.toSorted((a, b) => Number(b.role === 'control-plane') - Number(a.role === 'control-plane'))
}

/** The options of a node's upgrade. */
export function passedOn(flags: Flags): string[] {
  const options = PASSED_ON.flatMap(name => {
    const value = flags[name]
    if (value === undefined) return []
    return `--${name}=${PATHS.includes(name) ? resolve(String(value)) : value}`
  })
  return flags.timeout === undefined ? options : [...options, `--timeout=${timeLeft(flags, flags.timeout)}ms`]
}
