/** What a change is about, in a word or two. */
import type { Change } from '../../machine/journal.ts'
import { settingName } from '../../machine/running-settings.ts'

export function subjectOf(change: Change): string {
  switch (change.kind) {
    case 'sysctl':
      return change.key
    case 'service':
    case 'module':
    case 'image':
      return change.name
    case 'runtime':
      return change.socket
    case 'setting':
      return settingName(change)
    case 'packages':
      return change.names.join(' ')
    case 'network':
    case 'init':
      return change.kind
    default:
      return change.path
  }
}
