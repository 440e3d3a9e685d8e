/** Whose cluster is on a machine: an init may say who it works for, and a reset that says so leaves others' alone. */
import { UsageError } from '../../base/errors.ts'
import type { Call } from '../../cli/script.ts'
import type { Change } from '../../machine/journal.ts'

/** What --owner says. Throws a UsageError when it is not a name. */
export function ownerOf({ name, flags }: Pick<Call, 'name' | 'flags'>): string | undefined {
  const { owner } = flags
  if (owner !== undefined && !/^[\w.-]{1,64}$/.test(owner)) {
    throw new UsageError(
      `${name}: cannot use --owner ${JSON.stringify(owner)}: it is not a name; write letters, digits, "-", "_" and "."`,
    )
  }
  return owner
}

/**
 * How many of the oldest changes are not the owner's: what phases and others did before its init. All of them where the
 * cluster is another one's.
 */
export function othersChanges(changes: readonly Change[], owner: string): number {
  const at = changes.map(({ kind }) => kind).lastIndexOf('init')
  const beginning = changes[at]
  return beginning?.kind === 'init' && beginning.owner === owner ? at : changes.length
}
