/** Our firewall rules on this machine: put in place before the cluster starts, taken away with all of its own. */

import { KubestepError } from '../../base/errors.ts'
import { $ } from '../command.ts'
import {
  CHAINS,
  clusterChains,
  iptables,
  type RuleSettings,
  removalText,
  restoreText,
  savedChains,
} from './firewall-rules.ts'

/** Chains that exist now, of both families, as `family table chain`; empty without iptables. */
export async function presentChains(): Promise<string[]> {
  const families = await Promise.all(
    ([4, 6] as const).map(async family =>
      (await savedTables(family)).flatMap(saved => savedChains(saved).map(chain => `${family} ${chain}`)),
    ),
  )
  return families.flat()
}

/** Makes our chains and enters them first. Throws a KubestepError when iptables refuses. */
export async function applyRules(settings: RuleSettings): Promise<void> {
  const { family } = settings
  const { exitCode, stderr } = await $({
    nothrow: true,
    input: restoreText(settings),
  })`${iptables(family, '-restore')} --noflush --wait`
  if (exitCode !== 0) {
    throw new KubestepError(
      `network: cannot set firewall rules: ${stderr.trim()}; install iptables or load its kernel modules`,
    )
  }
  for (const { table, chain, from } of CHAINS) {
    const entry = ['-m', 'comment', '--comment', 'kubestep', '-j', chain]
    const command = [iptables(family), '--wait', '-t', table]
    if ((await $({ nothrow: true })`${command} -C ${from} ${entry}`).exitCode === 0) continue
    await $({ nothrow: true })`${command} -I ${from} 1 ${entry}`
  }
}

/**
 * Takes away every chain of a cluster but those in `kept` (as presentChains gives them), and of CNI's those for these
 * containers. Gives what stays all the same.
 */
export async function removeRules(kept: readonly string[], containers: readonly string[] = []): Promise<string[]> {
  const left: string[] = []
  for (const family of [4, 6] as const) {
    const keptHere = kept.filter(name => name.startsWith(`${family} `)).map(name => name.slice(2))
    for (const saved of await savedTables(family)) {
      const text = removalText(saved, keptHere, containers)
      if (text === undefined) continue
      await $({ nothrow: true, input: text })`${iptables(family, '-restore')} --noflush --wait`
      for (const after of await savedTables(family)) {
        left.push(...clusterChains(after, keptHere, containers).map(chain => `IPv${family} chain ${chain}`))
      }
    }
  }
  return left
}

async function savedTables(family: 4 | 6): Promise<string[]> {
  const { exitCode, stdout } = await $({ nothrow: true })`${iptables(family, '-save')}`
  return exitCode === 0 ? [stdout] : []
}
