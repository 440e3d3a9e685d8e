/** Files of this user: made so, taken over from root, removed again. */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Places } from './environment.ts'
import { runAsRoot } from './root.ts'

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

/** Writes a file that is this user's from its first moment, with exactly that mode. */
export function writeOwn(path: string, content: string, mode: number): void {
  mkdirSync(dirname(path), { recursive: true })
  rmSync(path, { force: true })
  writeFileSync(path, content, { mode, flag: 'wx' })
  // The umask may have taken bits away.
  chmodSync(path, mode)
}

/** Takes away what was given; the logs stay. */
export function removeUserFiles(places: Places): void {
  for (const path of [places.kubeconfig, places.caCert, places.bin, places.config]) {
    rmSync(path, { recursive: true, force: true })
  }
}
