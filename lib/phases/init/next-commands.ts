/** What a person types next, to copy: how to use the cluster, how to take it away. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { KUBERNETES, LAYOUT } from '../../base/paths.ts'
import { commandOf, throughSudo } from '../../cli/invocation.ts'
import { quote, which } from '../../machine/command.ts'

/** Commands that show the nodes; admin.conf is for root alone, so whoever came by sudo goes that way again. */
export function useCommands(kubectl: string = ownKubectl(), sudo: boolean = throughSudo()): string[] {
  const get = `${quote(kubectl)} get nodes`
  return sudo
    ? [`sudo env KUBECONFIG=${KUBERNETES.adminConf} ${get}`]
    : [`export KUBECONFIG=${KUBERNETES.adminConf}`, get]
}

/** The command that takes away everything that was made. */
export function resetCommand(): string {
  return commandOf('reset', true)
}

/** Lines with commands, set off so that they can be copied. */
export function block(commands: readonly string[]): string[] {
  return ['', ...commands.map(command => `  ${command}`), '']
}

// The one on the PATH, or else the one that came with the cluster.
function ownKubectl(): string {
  const own = join(LAYOUT.binaries, 'kubectl')
  return which('kubectl') === undefined && existsSync(own) ? own : 'kubectl'
}
