/** What systemd knows of services. Pure parsing. */

export interface Unit {
  /** E.g. `firewalld.service`. */
  readonly name: string
  readonly isLoaded: boolean
  readonly isActive: boolean
  readonly isEnabled: boolean
}

/** The command that answers for several units at once. */
export function unitsCommand(names: readonly string[]): string[] {
  return ['systemctl', 'show', '--property=Id,LoadState,ActiveState,UnitFileState', ...names]
}

/** Its output: a block of `Name=value` lines per unit. */
export function parseUnits(text: string): Unit[] {
  return text
    .trim()
    .split(/\n\n+/)
    .map(block => new Map(block.split('\n').map(line => [line.split('=')[0] ?? '', line.replace(/^[^=]*=/, '')])))
    .filter(fields => fields.has('Id'))
    .map(fields => ({
      name: fields.get('Id') ?? '',
      isLoaded: fields.get('LoadState') === 'loaded',
      isActive: ['active', 'reloading'].includes(fields.get('ActiveState') ?? ''),
      isEnabled: (fields.get('UnitFileState') ?? '').startsWith('enabled'),
    }))
}
