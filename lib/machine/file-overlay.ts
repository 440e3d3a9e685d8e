/** Files of the host as they will be when others are written. */
import type { FileEntry } from './files.ts'

/** Reads as if the entries were written already, where `read` reads what is there. */
export function overlay(
  entries: readonly FileEntry[],
  read: (path: string) => string | undefined,
): (path: string) => string | undefined {
  const written = new Map(entries.map(({ path, content }) => [path, Buffer.from(content).toString()]))
  return path => written.get(path) ?? read(path)
}
