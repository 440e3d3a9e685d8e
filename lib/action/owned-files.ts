/** Files of this user: made so, taken over from root, removed again. */
import { chmodSync, lstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { KubestepError } from '../base/errors.ts'
import { type Holder, thisUser } from '../machine/file-custody.ts'
import { runAsRoot } from './run-as-root.ts'
import type { Places } from './runner-environment.ts'

/** Options of install(1) that give the file to this user. */
export function owner(): string[] {
  return ['-o', String(process.getuid?.() ?? 0), '-g', String(process.getgid?.() ?? 0)]
}

/** Gives a file of root's to this user. */
export async function takeOver(path: string, folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true })
  const target = join(folder, path.slice(path.lastIndexOf('/') + 1))
  const { status } = await runAsRoot(['install', '-m', '0600', ...owner(), path, target])
  if (status !== 0) return path
  if (target !== path) await runAsRoot(['rm', '-f', path])
  return target
}

/** Why a folder will not do for files of this user's that root and later steps believe; undefined when it will, or is not there. */
export function folderFault(folder: string, holder: Holder = thisUser()): string | undefined {
  const stats = lstatSync(folder, { throwIfNoEntry: false })
  if (stats === undefined) return undefined
  const advice = 'remove it, or set RUNNER_TEMP to a folder of your own'
  if (!stats.isDirectory()) return `action: cannot use "${folder}": it is not a folder; ${advice}`
  if (stats.uid !== holder.uid) return `action: cannot use "${folder}": it belongs to user ${stats.uid}; ${advice}`
  const others = (stats.mode & 0o020) !== 0 && stats.gid !== holder.gid
  if (!others && (stats.mode & 0o002) === 0) return undefined
  return `action: cannot use "${folder}": others may write into it; ${advice}`
}

/** Makes the folder, whatever the umask, so that nobody else may write into it. Throws a KubestepError. */
export function makeOwnFolder(folder: string): void {
  mkdirSync(dirname(folder), { recursive: true })
  try {
    mkdirSync(folder)
    chmodSync(folder, 0o755)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const fault = folderFault(folder)
  if (fault !== undefined) throw new KubestepError(fault)
}

/** Writes a file that is this user's from its first moment, with exactly that mode. */
export function writeOwn(path: string, content: string, mode: number): void {
  mkdirSync(dirname(path), { recursive: true })
  rmSync(path, { force: true })
  writeFileSync(path, content, { mode, flag: 'wx' })
  // The umask may have taken bits away.
  chmodSync(path, mode)
}

/** Takes away what was given besides the kubeconfig; the logs stay. */
export function removeUserFiles(places: Places): void {
  for (const path of [places.caCert, places.bin, places.config, places.mirrors]) {
    rmSync(path, { recursive: true, force: true })
  }
}
