/** What a reset is asked for: kubeadm's flags and a ResetConfiguration, as far as they have anything to say. */

import { UsageError } from '../../base/errors.ts'
import type { Flags } from '../../cli/options.ts'
import { loadResetConfig } from '../../kubeadm/config/config-file.ts'
import type { HostFacts } from '../../machine/host/facts.ts'
import type { Change } from '../../machine/journal.ts'
import { knownPhases } from '../run/known-phases.ts'
import { covers } from '../run/record-changes.ts'

/** Source: kubeadm cmd/phases/reset (v1.36). */
export const RESET_PHASES: readonly string[] = ['preflight', 'remove-etcd-member', 'cleanup-node']

/** Another name that kubeadm takes. */
const ALIASES: Readonly<Record<string, string>> = { cleanupnode: 'cleanup-node' }

/** What a file has to say where there is one. Source: kubeadm validation.go, ValidateMixedArguments (v1.36). */
const FILE_FLAGS = ['cert-dir', 'cri-socket', 'cleanup-tmp-dir'] as const

export interface ResetRequest {
  readonly dryRun: boolean
  readonly skipped: readonly string[]
  readonly notices: readonly string[]
}

/** Reads them. Throws a UsageError or a ConfigError with all faults. */
export function readRequest(
  flags: Flags,
  source: { readonly text?: string; readonly file?: string },
  facts: HostFacts,
): ResetRequest {
  if (source.text === undefined) {
    return { dryRun: flags['dry-run'] ?? false, skipped: phases(split(flags['skip-phases'])), notices: [] }
  }
  const mixed = FILE_FLAGS.filter(name => flags[name] !== undefined)
  if (mixed.length > 0) {
    const names = mixed.map(name => `--${name}`).join(', ')
    throw new UsageError(`reset: cannot use --config together with ${names}: the file decides; set it there`)
  }
  const { value, notices } = loadResetConfig({ ...source, detectCriSocket: false }, facts)
  const skipped = split(flags['skip-phases'])
  return {
    dryRun: flags['dry-run'] ?? value.dryRun ?? false,
    skipped: phases(skipped.length > 0 ? skipped : (value.skipPhases ?? [])),
    notices,
  }
}

function split(names = ''): string[] {
  return names.split(',').filter(name => name !== '')
}

function phases(names: readonly string[]): readonly string[] {
  return knownPhases(
    'reset',
    names.map(name => ALIASES[name] ?? name),
    RESET_PHASES,
  )
}

/** What flags name and the record does not: it stays. */
export function strangers(flags: Pick<Flags, 'cert-dir' | 'cri-socket'>, changes: readonly Change[]): string[] {
  const { 'cert-dir': folder, 'cri-socket': socket } = flags
  const isKnown = (path: string): boolean =>
    changes.some(change => covers(change, `${path}/x`) || ('path' in change && change.path.startsWith(`${path}/`)))
  const sockets = changes.flatMap(change => (change.kind === 'runtime' ? [bare(change.socket)] : []))
  return [
    ...(folder === undefined || isKnown(folder.replace(/\/+$/, ''))
      ? []
      : [`[reset] "${folder}" is not in the record of this cluster: it stays as it is`]),
    ...(socket === undefined || sockets.includes(bare(socket))
      ? []
      : [`[reset] "${socket}" is not the runtime in the record of this cluster: it is left alone`]),
  ]
}

// /var/run is /run nearly everywhere.
function bare(socket: string): string {
  return socket.replace(/^unix:\/\//, '').replace(/^\/var\/run\//, '/run/')
}
