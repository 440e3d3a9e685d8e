/**
 * Corefiles of users' own for a newer CoreDNS: what that would refuse to start with goes, or becomes what took its place.
 * Source: CoreDNS' release notes; corefile-migration, the library by which kubeadm does it (v1.36). That also adds new
 * defaults; here everything else stays as it is.
 */
import { isSince, parseVersion, type Version } from '../../base/version.ts'

interface MigrationRow {
  /** The CoreDNS that does not know the option any more. */
  readonly since: string
  readonly plugin: string
  readonly option: string
  /** Lines that take its place behind the plugin, from the option's words. */
  readonly becomes?: (words: readonly string[], indent: string) => readonly string[]
}

export const COREFILE_MIGRATIONS: readonly MigrationRow[] = [
  { since: '1.7.0', plugin: 'kubernetes', option: 'resyncperiod' },
  { since: '1.7.0', plugin: 'kubernetes', option: 'upstream' },
  {
    since: '1.8.0',
    plugin: 'kubernetes',
    option: 'transfer',
    becomes: (words, indent) => [`${indent}transfer {`, `${indent}    ${words.join(' ')}`, `${indent}}`],
  },
]

/** The Corefile for the CoreDNS `to`, both versions as tags of its image; the same text when there is nothing to change. */
export function migrateCorefile(text: string, from: string, to: string): string {
  const [before, after] = [coreDnsVersion(from), coreDnsVersion(to)]
  if (before === undefined || after === undefined) return text
  const rows = COREFILE_MIGRATIONS.filter(({ since }) => isSince(after, since) && !isSince(before, since))
  if (rows.length === 0) return text
  const lines: string[] = []
  const later: string[] = []
  // Of each block that is open, its first word: [server, plugin].
  const open: string[] = []
  for (const line of text.split('\n')) {
    const words = line.trim().split(/\s+/)
    const [first = '', ...rest] = words
    const row =
      open.length === 2 ? rows.find(({ plugin, option }) => plugin === open[1] && option === first) : undefined
    const indent = line.slice(0, line.length - line.trimStart().length)
    if (row !== undefined) {
      later.push(...(row.becomes?.(rest, indent.slice(0, indent.length / 2)) ?? []))
      continue
    }
    lines.push(line)
    if (first.startsWith('#')) continue
    if (words.at(-1) === '{') open.push(first)
    else if (first === '}') {
      open.pop()
      if (open.length === 1) lines.push(...later.splice(0))
    }
  }
  return lines.join('\n')
}

function coreDnsVersion(tag: string): Version | undefined {
  return parseVersion(tag.replace(/[-_].*$/, ''))
}
