/** What a person sees of anything that was thrown: one line, and the stack on request. */
import { KubestepError, messageOf, reasonOf, UsageError } from '../base/errors.ts'
import { explain } from '../machine/files.ts'

/** The text of an error that ended `what`, a script or a part of one. */
export function faultText(what: string, error: unknown, verbose: boolean): string {
  // Where a wrong option was noticed helps nobody.
  if (error instanceof UsageError) return error.message
  if (verbose && error instanceof Error) return error.stack ?? error.message
  if (error instanceof KubestepError) return messageOf(what, error)
  const { code, syscall, path } = (error ?? {}) as Partial<NodeJS.ErrnoException>
  if (code !== undefined && syscall !== undefined) {
    const where = path === undefined ? '' : ` ${JSON.stringify(path)}`
    return `${what}: cannot ${VERBS[syscall] ?? syscall}${where}: ${explain(error)}`
  }
  const name = error instanceof Error ? `${error.name}: ` : ''
  const line = `${name}${reasonOf(error)}`.split('\n')[0] ?? ''
  return `${what}: cannot go on: ${line.slice(0, LONGEST)}; this is a fault of kubestep: run it again with --verbose and report what it says then`
}

/** A line that somebody reads. */
const LONGEST = 300

/** What system calls do, in words. */
const VERBS: Readonly<Record<string, string>> = {
  open: 'open',
  read: 'read',
  write: 'write',
  mkdir: 'make the folder',
  mkdtemp: 'make a folder',
  scandir: 'list',
  stat: 'look at',
  lstat: 'look at',
  unlink: 'remove',
  rmdir: 'remove',
  rename: 'rename',
  copyfile: 'copy',
  symlink: 'link',
  link: 'link',
  connect: 'connect to',
  listen: 'listen at',
  spawn: 'start',
}
