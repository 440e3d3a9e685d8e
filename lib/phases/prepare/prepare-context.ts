/** What prepare goes by: the machine, and the configuration of the cluster that is to come. */

import type { InitConfig } from '../../base/kubeadm.ts'
import type { Call } from '../../cli/script.ts'
import { loadInitConfig } from '../../kubeadm/config/load-config.ts'
import { PHASE_NAMES } from '../../kubeadm/config/phase-names.ts'
import { type HostSource, liveHost } from '../../machine/host/host-source.ts'
import { readKernel } from '../../machine/host/kernel-features.ts'
import { readHostFacts } from '../../machine/host/read-facts.ts'
import { readConfig } from '../run/open-phase.ts'
import { NO_ADDRESS, type PrepareContext } from './prepare-item.ts'

/** The context of a call; `root` is `/` for the running machine. */
export function openContext({ flags, output }: Pick<Call, 'flags' | 'output'>, root: string): PrepareContext {
  const host = liveHost(root)
  const hostName = flags['host-name']
  let config: InitConfig | undefined
  return {
    host,
    live: root === '/',
    kernel: readKernel(host),
    // Read when an item needs it: a host name that no node can have is no obstacle to fixing it.
    get config() {
      config ??= readWanted({ flags, output }, host, hostName)
      return config
    },
    install: flags.install ?? false,
    ...(hostName !== undefined && { hostName }),
    ...(flags['time-zone'] !== undefined && { timeZone: flags['time-zone'] }),
  }
}

/** Throws a ConfigError. A machine that is not connected yet is no reason not to prepare it. */
function readWanted(
  { flags, output }: Pick<Call, 'flags' | 'output'>,
  { root }: HostSource,
  hostName: string | undefined,
): InitConfig {
  const facts = readHostFacts(root)
  const { config, notices } = loadInitConfig(
    {
      ...readConfig(flags),
      flags: { ...flags, ...(hostName !== undefined && { 'node-name': flags['node-name'] ?? hostName }) },
      phases: PHASE_NAMES,
    },
    { ...facts, defaultAddress: { ...NO_ADDRESS, ...facts.defaultAddress } },
  )
  for (const notice of notices) output.warn(notice)
  return config
}
