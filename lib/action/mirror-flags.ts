/** Addresses of mirrors on a command line, which is there for all to see. */
import { addressSecrets } from '../cluster/diagnose/known-secrets.ts'
import { writeOwn } from './owned-files.ts'

const PREFIX = '--mirror='

/** The flags without passwords: those go through the file. */
export function withoutPasswords(flags: readonly string[], file: string): string[] {
  return flags.map(flag => {
    if (!flag.startsWith(PREFIX) || addressSecrets(flag).length === 0) return flag
    writeOwn(file, flag.slice(PREFIX.length), 0o600)
    return `${PREFIX}@${file}`
  })
}
