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

/** Properties of a unit by name. */
export type Fields = Readonly<Record<string, string>>

/** The output of `systemctl show`: a block of `Name=value` lines per unit. */
export function unitBlocks(text: string): Fields[] {
  return text
    .trim()
    .split(/\n\n+/)
    .filter(block => block !== '')
    .map(block =>
      Object.fromEntries(block.split('\n').map(line => [line.split('=')[0] ?? '', line.replace(/^[^=]*=/, '')])),
    )
}

export function parseUnits(text: string): Unit[] {
  return unitBlocks(text)
    .filter(({ Id }) => Id !== undefined)
    .map(({ Id = '', LoadState, ActiveState = '', UnitFileState = '' }) => ({
      name: Id,
      isLoaded: LoadState === 'loaded',
      isActive: ['active', 'reloading'].includes(ActiveState),
      isEnabled: UnitFileState.startsWith('enabled'),
    }))
}
