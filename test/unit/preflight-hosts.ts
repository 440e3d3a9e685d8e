/** Recorded hosts of test/data/hosts, and what preflight says of them. */
import { fileURLToPath } from 'node:url'
import { loadInitConfig } from '../../lib/config/load.ts'
import { hostFacts } from '../../lib/host/read.ts'
import { recordedHost } from '../../lib/host/recorded.ts'
import type { HostSource } from '../../lib/host/source.ts'
import type { Flags } from '../../lib/options.ts'
import { PHASE_NAMES } from '../../lib/phases.ts'
import type { Wanted } from '../../lib/preflight/check.ts'
import { preflight, wantedOf } from '../../lib/preflight/preflight.ts'
import type { Row } from '../../lib/preflight/run.ts'

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
