/** What could not be undone, and the lines that say so: one for all of a kind that stays for the same reason. */
import { KubestepError, reasonOf } from '../../base/errors.ts'
import type { PreparedChange } from '../../machine/host-change.ts'
import type { Change } from '../../machine/journal.ts'
import { subjectOf } from './change-subject.ts'

/** One thing that stays as it is, why, and what would change that. */
export interface Stay {
  readonly subject: string
  readonly reason: string
  readonly advice: string
}

type Words = readonly [verb: string, one: string, many: string]

const PATH: Words = ['remove', 'path', 'paths']
const FILE: Words = ['bring back', 'file', 'files']

/** How undoing a kind is called. */
const WORDS: Readonly<Record<Change['kind'], Words>> = {
  file: FILE,
  written: FILE,
  lines: ['take lines back in', 'file', 'files'],
  link: ['bring back', 'link', 'links'],
  tree: PATH,
  contents: PATH,
  empty: PATH,
  mount: ['unmount', 'path', 'paths'],
  service: ['stop and remove', 'service', 'services'],
  sysctl: ['set back', 'sysctl', 'sysctls'],
  setting: ['set back', 'setting', 'settings'],
  module: ['unload', 'kernel module', 'kernel modules'],
  runtime: ['remove the Pods of', 'runtime', 'runtimes'],
  image: ['take back', 'image name', 'image names'],
  network: ['remove', 'part of the network', 'parts of the network'],
  nodes: ['end', 'part of a node', 'parts of nodes'],
  packages: ['remove', 'package', 'packages'],
  init: ['forget', 'init', 'inits'],
}

/** What stays of a journal; without any stay because something else needs it. */
export interface Left {
  readonly change: Change
  readonly stays: readonly Stay[]
}

/** `reset: cannot set back 2 sysctls (a, b): <reason>; <advice> and run reset again`, a line for each kind and reason. */
export function leftLines(left: readonly Left[], phase = 'reset'): string[] {
  const groups = new Map<string, { words: Words; stay: Stay; subjects: string[] }>()
  for (const { change, stays } of left) {
    const words = WORDS[change.kind]
    for (const stay of stays) {
      const key = JSON.stringify([words, stay.reason, stay.advice])
      const group = groups.get(key) ?? { words, stay, subjects: [] }
      if (!group.subjects.includes(stay.subject)) group.subjects.push(stay.subject)
      groups.set(key, group)
    }
  }
  return [...groups.values()].map(({ words: [verb, one, many], stay: { reason, advice }, subjects }) => {
    const what =
      subjects.length === 1
        ? `${one} ${JSON.stringify(subjects[0])}`
        : `${subjects.length} ${many} (${subjects.join(', ')})`
    return `${phase}: cannot ${verb} ${what}: ${reason}; ${advice} and run reset again`
  })
}

/** What stays of a preparation. */
export function preparationLeft(
  failed: readonly { readonly change: PreparedChange; readonly error: unknown }[],
): Left[] {
  return failed.map(({ change, error }) => ({ change, stays: [stayOf(subjectOf(change), error)] }))
}

/** Kinds that a further init can begin with: it changes them itself, keeps their record, or has no use for them. */
const HARMLESS: readonly Change['kind'][] = [
  'sysctl',
  'setting',
  'module',
  'packages',
  'image',
  'network',
  'link',
  'lines',
  'written',
  'empty',
]

/** Whether what is left of an earlier init keeps the next one from being a clean start. */
export function isInTheWay({ change, stays }: Left): boolean {
  if (stays.length === 0) return false
  return change.kind === 'runtime' ? change.ours : !HARMLESS.includes(change.kind)
}

/** Why a file or folder cannot be removed or written, and what to do. */
const REASONS: Readonly<Record<string, readonly [reason: string, advice: string]>> = {
  EROFS: ['the file system is read-only', 'mount it read-write'],
  EPERM: ['it is protected', 'take the protection away (lsattr shows it, chattr -i -a takes it)'],
  EACCES: ['it may not be changed', 'see that root may change it'],
  EBUSY: ['something uses it', 'end that (fuser -vm shows it)'],
  ENOTEMPTY: ['something goes on writing into it', 'end that (fuser -vm shows it)'],
  ENOSPC: ['no space is left on the device', 'free some'],
  EDQUOT: ['the disk quota is used up', 'free some space'],
  EIO: ['the disk does not answer', 'see what the kernel says of it (dmesg)'],
}

/** Anything thrown, as a stay. */
export function stayOf(subject: string, error: unknown): Stay {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const known = cause instanceof KubestepError ? undefined : REASONS[(cause as NodeJS.ErrnoException).code ?? '']
    if (known !== undefined && !isSplit(error)) return { subject, reason: known[0], advice: known[1] }
  }
  const [reason = '', ...advice] = splitMessage(reasonOf(error))
  return { subject, reason, advice: advice.join('; ') || 'see to that' }
}

// Our own messages say what to do by themselves, those of files for whoever chooses a folder.
function isSplit(error: unknown): boolean {
  return error instanceof KubestepError && !error.message.startsWith('files: ')
}

/** Reason and advice of `<phase>: cannot <verb> <thing> "<value>": <reason>; <what to do>`. */
function splitMessage(message: string): string[] {
  return message.replace(/^[\w-]+: cannot (?:"[^"]*"|[^":])+: /, '').split('; ')
}
