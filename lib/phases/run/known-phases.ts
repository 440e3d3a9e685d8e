/** Names of phases that a command is told to skip. */
import { UsageError } from '../../base/errors.ts'
import { nearest } from '../../base/nearest.ts'

/** The names as they came. Throws a UsageError that names every one that the command does not have. */
export function knownPhases(command: string, names: readonly string[], known: readonly string[]): readonly string[] {
  const unknown = names.filter(name => !known.includes(name))
  if (unknown.length === 0) return names
  throw new UsageError(
    unknown
      .map(name => {
        const hint = nearest(name, known)
        const advice = hint === undefined ? `use ${known.join(', ')}` : `did you mean "${hint}"?`
        return `${command}: cannot skip phase ${JSON.stringify(name)}: there is no such phase; ${advice}`
      })
      .join('\n'),
  )
}
