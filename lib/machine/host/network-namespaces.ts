/** Network namespaces that have a name, and whether anybody lives in them. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Names in a folder of namespaces in which a process lives. */
export function namespacesInUse(folder: string): string[] {
  const inUse = new Set(readdirSync('/proc').flatMap(pid => (/^\d+$/.test(pid) ? identity(`/proc/${pid}/ns/net`) : [])))
  return readdirSync(folder).filter(name => identity(join(folder, name)).some(id => inUse.has(id)))
}

function identity(path: string): string[] {
  try {
    const { dev, ino } = statSync(path)
    return [`${dev} ${ino}`]
  } catch {
    // Gone, or nothing that this process may look at.
    return []
  }
}
