/**
 * Who can change what lies at a path. The one answer for everything that root executes, links, loads or believes: a file
 * counts only when nobody else can write it, or put another one in its place, anywhere between `/` and itself.
 */
import { lstatSync, readlinkSync, type Stats } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** Whose hands a file may be in besides root's. */
export interface Holder {
  readonly uid: number
  /** A group that counts as this user alone: most systems give each user one of his own. */
  readonly gid?: number
}

export const ROOT: Holder = { uid: 0 }

/** This process' user. */
export function thisUser(): Holder {
  const uid = process.getuid?.() ?? 0
  return uid === 0 ? ROOT : { uid, gid: process.getgid?.() ?? uid }
}

/** As many links are followed; the kernel's own limit. Source: path_resolution(7). */
const MOST_LINKS = 40

/**
 * Why somebody besides root and the holder could change what lies at a path; undefined when nobody can. Links are
 * followed, and each of their folders counts. Throws what the system says of a path that is not there.
 */
export function custodyFault(path: string, holder: Holder = ROOT): string | undefined {
  const waiting = namesIn(resolve(path))
  let folder = '/'
  let writer = writerOf('/', holder)
  for (let links = 0; waiting.length > 0; ) {
    const name = waiting.shift() ?? ''
    const here = name === '..' ? dirname(folder) : join(folder, name)
    const stats = lstatSync(here)
    // In a folder such as /tmp everybody makes what he likes, links to root's files too; but nobody can move or
    // remove a folder of somebody else's.
    const isSafe = writer === undefined || (isSticky(folder) && stats.isDirectory())
    if (!isSafe) return `${writer} may write ${folder}`
    if (stats.uid !== 0 && stats.uid !== holder.uid) return `${here} belongs to user ${stats.uid}`
    if (stats.isSymbolicLink()) {
      links++
      if (links > MOST_LINKS) return `${here} is a link without an end`
      const target = readlinkSync(here)
      waiting.unshift(...namesIn(target))
      if (target.startsWith('/')) folder = '/'
    } else folder = here
    writer = writerOf(folder, holder)
  }
  return writer === undefined ? undefined : `${writer} may write ${folder}`
}

/** Whether nobody besides root and the holder can change what lies at a path. */
export function isInCustody(path: string, holder: Holder = ROOT): boolean {
  try {
    return custodyFault(path, holder) === undefined
  } catch {
    // What cannot be looked at is not believed.
    return false
  }
}

function namesIn(path: string): string[] {
  return path.split('/').filter(name => name !== '' && name !== '.')
}

/** Who else may write a file, or into a folder. An access list shows as the bits of the group. Source: acl(5). */
function writerOf(path: string, holder: Holder): string | undefined {
  const { mode, gid }: Stats = lstatSync(path)
  if ((mode & 0o002) !== 0) return 'everybody'
  return (mode & 0o020) !== 0 && gid !== holder.gid ? `group ${gid}` : undefined
}

function isSticky(folder: string): boolean {
  return (lstatSync(folder).mode & 0o1000) !== 0
}
