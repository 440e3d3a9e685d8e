/** The PATH and the TMPDIR of a process that is root: folders that somebody else can write have no place in them. */
import { existsSync, lstatSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { custodyFault, isInCustody } from './file-custody.ts'

/** Programs that root starts, or that containerd does: worth a word when one was only in a folder that is left out. */
const PROGRAMS: readonly string[] = [
  'containerd',
  'containerd-shim-runc-v2',
  'ctr',
  'runc',
  'crun',
  'iptables',
  'ip6tables',
  'nft',
  'ipset',
  'kubelet',
  'docker',
  'zstd',
]

export interface GuardedPath {
  readonly path: string
  /** What is not found any more, and why. */
  readonly notices: readonly string[]
}

/** The folders of a PATH that only root can write, in their order. What is not there, or relative, is left out too. */
export function guardedPath(path: string): GuardedPath {
  const rows = path.split(delimiter).map(folder => ({ folder, fault: faultOf(folder) }))
  const kept = rows.filter(({ fault }) => fault === undefined).map(({ folder }) => folder)
  const isIn = (folder: string, program: string): boolean => existsSync(join(folder, program))
  const notices = rows.flatMap(({ folder, fault }) => {
    const lost = PROGRAMS.filter(name => isIn(folder, name) && !kept.some(other => isIn(other, name)))
    return fault === undefined || lost.length === 0
      ? []
      : [`${lost.join(', ')} in ${folder} not used as root: ${fault}; make that root's alone (chown root, chmod go-w)`]
  })
  return { path: kept.join(delimiter), notices }
}

function faultOf(folder: string): string | undefined {
  if (!folder.startsWith('/')) return 'it is not an absolute path'
  try {
    return custodyFault(folder)
  } catch {
    return 'it is not there'
  }
}

/** Whether root can keep its own folders in one for temporary ones: nobody else can move or remove what lies there. */
export function isSafeTemporary(folder: string): boolean {
  if (isInCustody(folder)) return true
  try {
    const { mode, uid } = lstatSync(folder)
    return uid === 0 && (mode & 0o1000) !== 0 && isInCustody(dirname(folder))
  } catch {
    return false
  }
}

/** Guards the PATH of this process and of all that it starts, and its TMPDIR, where it is root; gives the notices. */
export function guardPath(): readonly string[] {
  if (process.getuid?.() !== 0) return []
  const { TMPDIR } = process.env
  if (TMPDIR !== undefined && !isSafeTemporary(TMPDIR)) delete process.env.TMPDIR
  const { path, notices } = guardedPath(process.env.PATH ?? '')
  process.env.PATH = path
  return notices
}
