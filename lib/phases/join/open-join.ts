/** What a join is asked for: its configuration, from a file or from flags. */
import { existsSync } from 'node:fs'
import { UsageError } from '../../base/errors.ts'
import type { NodeRole } from '../../base/kubeadm.ts'
import { KUBERNETES } from '../../base/paths.ts'
import type { OptionName } from '../../cli/options.ts'
import type { Call } from '../../cli/script.ts'
import { loadJoinConfig } from '../../kubeadm/config/config-file.ts'
import { ENDPOINT, type GivenFlags, JOIN_FLAG_FIELDS } from '../../kubeadm/config/flag-fields.ts'
import type { JoinConfiguration } from '../../kubeadm/config/join-config.ts'
import { parsePins } from '../../kubeadm/credentials/ca-pins.ts'
import type { HostFacts } from '../../machine/host/facts.ts'
import { NO_MACHINE_ADDRESS, readHostFacts } from '../../machine/host/read-facts.ts'
import { knownPhases } from '../run/known-phases.ts'
import { readConfig } from '../run/open-phase.ts'
import { JOIN_PHASE_NAMES } from './join-phase.ts'

export interface OpenedJoin {
  readonly config: JoinConfiguration
  readonly role: NodeRole
  readonly facts: HostFacts
  readonly dryRun: boolean
}

/** Of no use to a worker. */
const CONTROL_PLANE_FLAGS: readonly OptionName[] = [
  'apiserver-advertise-address',
  'apiserver-bind-port',
  'certificate-key',
]

/**
 * Reads it; what is wrong with it is said all at once, pins too. Phases that need no cluster (`isKnown`) do without
 * discovery. Throws a ConfigError or a UsageError. Source: kubeadm cmd/join.go, newJoinData (v1.36).
 */
export function openJoin(call: Call, { isKnown = false }: { readonly isKnown?: boolean } = {}): OpenedJoin {
  const { flags, output, positionals } = call
  const [endpoint, ...more] = positionals
  if (more.length > 0) throw new UsageError('join: cannot take a further argument: there is one too many; see --help')
  const facts = factsOf(flags['dry-run'] === true)
  const source = readConfig(flags)
  const given = givenFlags(flags, endpoint, source.text !== undefined, output.warn)
  const loaded = loadJoinConfig(
    {
      ...source,
      flags: isKnown && source.text === undefined ? { ...given, 'discovery-file': KUBERNETES.kubeletConf } : given,
      flagFields: JOIN_FLAG_FIELDS,
      exists: path => isKnown || existsSync(path),
    },
    facts,
  )
  for (const notice of loaded.notices) output.warn(notice)
  const config = loaded.value
  parsePins(config.discovery.bootstrapToken?.caCertHashes ?? [])
  knownPhases('join', config.skipPhases ?? [], JOIN_PHASE_NAMES)
  return {
    config,
    role: config.controlPlane === undefined ? 'worker' : 'control-plane',
    facts,
    dryRun: flags['dry-run'] ?? config.dryRun ?? false,
  }
}

function givenFlags(
  flags: GivenFlags,
  endpoint: string | undefined,
  hasFile: boolean,
  warn: (line: string) => void,
): GivenFlags {
  const { token, ...rest } = flags
  const idle = flags['control-plane'] || hasFile ? [] : CONTROL_PLANE_FLAGS.filter(name => flags[name] !== undefined)
  if (idle.length > 0)
    warn(`join: ${idle.map(name => `--${name}`).join(', ')} without --control-plane: a worker needs none of it`)
  const own = Object.fromEntries(Object.entries(rest).filter(([name]) => !idle.includes(name as OptionName)))
  if (hasFile) {
    if (token === undefined && endpoint === undefined) return own
    throw new UsageError(
      'join: cannot use --config together with --token or an API server: the file decides; set discovery there',
    )
  }
  const both = { 'discovery-token': token, 'tls-bootstrap-token': token }
  const filled = Object.fromEntries(
    Object.entries({ ...both, ...own, [ENDPOINT]: endpoint }).filter(([, value]) => value !== undefined),
  ) as GivenFlags
  if (endpoint !== undefined || filled['discovery-token'] === undefined) return withAdmin(filled)
  // Without a server there is nothing to discover by token.
  const { 'discovery-token': _, ...others } = filled
  return withAdmin(others)
}

/** A control plane that was prepared phase by phase knows its cluster; a token that is given counts all the same. */
function withAdmin(flags: GivenFlags): GivenFlags {
  const isGiven = flags['discovery-token'] !== undefined || flags['discovery-file'] !== undefined
  if (!flags['control-plane'] || isGiven || !existsSync(KUBERNETES.adminConf)) return flags
  return { ...flags, 'discovery-file': KUBERNETES.adminConf }
}

function factsOf(mayGuess: boolean): HostFacts {
  const facts = readHostFacts('/')
  return Object.keys(facts.defaultAddress).length > 0 || !mayGuess
    ? facts
    : { ...facts, defaultAddress: NO_MACHINE_ADDRESS }
}
