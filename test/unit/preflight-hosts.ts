/** Recorded hosts of test/data/hosts, and what preflight says of them. */
import { fileURLToPath } from 'node:url'
import type { Flags } from '../../lib/cli/options.ts'
import { loadInitConfig } from '../../lib/kubeadm/config/load-config.ts'
import { PHASE_NAMES } from '../../lib/kubeadm/config/phase-names.ts'
import type { HostSource } from '../../lib/machine/host/host-source.ts'
import { hostFacts } from '../../lib/machine/host/read-facts.ts'
import type { Wanted } from '../../lib/phases/preflight/check.ts'
import { preflight, wantedOf } from '../../lib/phases/preflight/refuse-machine.ts'
import type { Row } from '../../lib/phases/preflight/run-checks.ts'
import { recordedHost } from '../recorded-host.ts'

export function openHost(name: string): HostSource {
  return recordedHost(fileURLToPath(new URL(`../data/hosts/${name}`, import.meta.url)))
}

/** What flags and a configuration ask of a host. */
export function wantedOn(source: HostSource, flags: Flags = {}, text?: string): Wanted {
  const given = { flags, phases: PHASE_NAMES, ...(text !== undefined && { text, file: 'kubeadm.yaml' }) }
  const { config, namedSocket } = loadInitConfig(given, hostFacts(source))
  return wantedOf({ config, ...(namedSocket !== undefined && { namedSocket }) }, flags)
}

export async function verdictsOn(source: HostSource, flags: Flags = {}, text?: string): Promise<Row[]> {
  return preflight(wantedOn(source, flags, text), source, true)
}
