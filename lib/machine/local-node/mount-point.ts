/** What something can be bound to: a folder for a folder, a file for anything else. */
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { writeFiles } from '../files.ts'

export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

/** Makes it where nothing is. What does not exist is taken for a folder. */
export function makeMountPoint(from: string, to: string): void {
  if (existsSync(to)) return
  if (!existsSync(from) || isFolder(from)) {
    mkdirSync(to, { recursive: true, mode: 0o755 })
    return
  }
  mkdirSync(dirname(to), { recursive: true, mode: 0o755 })
  writeFiles('/', [{ path: to, mode: 0o644, content: '' }])
}
