#!/usr/bin/env -S npx zx
/** Sets up the Pod network of this node: the CNI configuration and the firewall rules around it. */
import { dirname } from 'node:path'
import { LAYOUT } from '../lib/base/paths.ts'
import { commandOf } from '../lib/cli/invocation.ts'
import { type OptionName, PHASE_OPTIONS } from '../lib/cli/options.ts'
import { type Script, script } from '../lib/cli/script.ts'
import { presentLinks } from '../lib/machine/host/network-links.ts'
import { readSysctl, SYSCTLS } from '../lib/machine/host/sysctl.ts'
import { type Change, openJournal } from '../lib/machine/journal.ts'
import { presentChains } from '../lib/machine/network/firewall-chains.ts'
import { restoreText } from '../lib/machine/network/firewall-rules.ts'
import { presentLeftovers } from '../lib/machine/network/proxy-leftovers.ts'
import { letPodsThrough } from '../lib/phases/init/pod-firewall.ts'
import { ruleSettings, setSysctls } from '../lib/phases/run/kernel-settings.ts'
import { isLive, readLiveNode } from '../lib/phases/run/live-node.ts'
import { alone } from '../lib/phases/run/machine-session.ts'
import { openPhase } from '../lib/phases/run/open-phase.ts'
import { folderChange, networkChanges } from '../lib/phases/run/planned-changes.ts'
import { podNetworkFile } from '../lib/phases/run/pod-network-file.ts'
import { record } from '../lib/phases/run/record-changes.ts'

const OPTIONS: readonly OptionName[] = [...PHASE_OPTIONS, 'pod-network-cidr', 'service-cidr', 'cri-socket', 'runtime']

export const network: Script = script(
  import.meta,
  {
    name: 'network',
    about: "Set up this node's Pod network: a bridge for Pods, and firewall rules that let them through (ours).",
    options: OPTIONS,
    examples: ['network.mts --dry-run --output-dir ./tree', 'network.mts --pod-network-cidr 10.244.0.0/16'],
  },
  async call => {
    const { output } = call
    const phase = openPhase(call)
    const { networking } = phase.config.cluster
    if (!isLive(phase)) {
      const file = podNetworkFile(phase.config, LAYOUT.cni.conf)
      phase.write([file])
      output.say(`[network] Writing the Pod network to file "${file.path}"`)
      for (const settings of ruleSettings(phase.config)) {
        output.say(`[dryrun] Would set these rules for IPv${settings.family}:`)
        for (const line of restoreText(settings).trim().split('\n')) output.say(`[dryrun]   ${line}`)
      }
      return
    }
    await alone(call.name, `run it again, or take away what it made: ${commandOf('reset', true)}`, async () => {
      const { config, choice } = await readLiveNode(phase, call)
      const file = podNetworkFile(config, choice.kind === 'socket' ? choice.runtime.cni.confDir : LAYOUT.cni.conf)
      if (choice.kind === 'socket') choice.runtime.cri.close()
      record(await changes(file.path, choice.kind === 'socket'))
      setSysctls(networking)
      phase.write([file])
      output.say(`[network] Writing the Pod network to file "${file.path}"`)
      await letPodsThrough(phase.config, openJournal(LAYOUT.journal))
      output.say('[network] Setting firewall rules for Pods and Services')
    })
  },
)

async function changes(file: string, isTheirs: boolean): Promise<Change[]> {
  const sysctls = SYSCTLS.flatMap(({ key, value }): Change[] => {
    const before = value === undefined ? undefined : readSysctl(key)
    return before === undefined ? [] : [{ kind: 'sysctl', key, before }]
  })
  const chains = await presentChains()
  return [
    folderChange(LAYOUT.state),
    ...(isTheirs ? networkChanges(dirname(file), file) : [folderChange(dirname(file))]),
    ...sysctls,
    { kind: 'network', links: presentLinks(), chains, others: await presentLeftovers() },
  ]
}
