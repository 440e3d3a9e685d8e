/** What is mounted where. */
import { readFileSync } from 'node:fs'

/** Mount points in the text of /proc/self/mountinfo that lie at or below one of the folders, deepest first. */
export function mountsBelow(mountinfo: string, folders: readonly string[]): string[] {
  return mountinfo
    .split('\n')
    .map(line => line.split(' ')[4])
    .filter(point => point !== undefined)
    .map(unescapeOctal)
    .filter(point => folders.some(folder => point === folder || point.startsWith(`${folder}/`)))
    .sort((a, b) => b.length - a.length)
}

/** A path as the kernel lists it: blanks and the like stand as `\040`. Source: proc(5). */
export function unescapeOctal(point: string): string {
  return point.replace(/\\([0-7]{3})/g, (_match, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}

/** The mount table of this process. */
export function readMountinfo(): string {
  return readFileSync('/proc/self/mountinfo', 'utf8')
}
