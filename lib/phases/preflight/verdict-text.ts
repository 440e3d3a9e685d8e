/** Verdicts for people: what needs attention in full, the rest in a line. */
import { formatVersion } from '../../base/version.ts'
import type { Status, Wanted } from './check.ts'
import type { Row } from './run-checks.ts'

interface Style {
  readonly label: string
  /** SGR code of terminals. */
  readonly color: string
  readonly summary: (count: number) => string
}

const STYLES: Readonly<Record<Status, Style>> = {
  error: { label: 'ERROR', color: '31', summary: count => `${count} error${count === 1 ? '' : 's'}` },
  warning: { label: 'WARNING', color: '33', summary: count => `${count} warning${count === 1 ? '' : 's'}` },
  unknown: { label: 'unknown', color: '35', summary: count => `${count} that cannot be told` },
  handled: { label: 'handled', color: '36', summary: count => `${count} that init deals with` },
  skipped: { label: 'skipped', color: '2', summary: count => `${count} not looked at` },
  ok: { label: 'ok', color: '32', summary: count => `${count} in order` },
}

const ORDER: readonly Status[] = ['error', 'warning', 'unknown', 'handled', 'skipped', 'ok']
/** Reasons are given where somebody has to act. */
const EXPLAINED: readonly Status[] = ['error', 'warning']

export interface TableOptions {
  readonly color: boolean
  /** Every row, also those in order. */
  readonly all: boolean
}

/** Where the third column begins; what follows a longer name stands in the next line. */
const LABEL_WIDTH = 9
const NAME_WIDTH = 26

/** Lines of the table, the summary last. */
export function tableLines(rows: readonly Row[], { color, all }: TableOptions): string[] {
  const paint = (text: string, code: string): string => (color ? `\u001b[${code}m${text}\u001b[0m` : text)
  const head = (status: Status): string => paint(STYLES[status].label.padEnd(LABEL_WIDTH), STYLES[status].color)
  const shown = ORDER.flatMap(status => (status === 'ok' && !all ? [] : rows.filter(row => row.status === status)))
  const indent = ' '.repeat(LABEL_WIDTH + NAME_WIDTH)
  const lines = shown.flatMap((row, index) => {
    const { name, status, found, fix, why } = row
    const isExplained = EXPLAINED.includes(status)
    const text = `${found}${row.ignored ? ' (ignored)' : ''}${isExplained || fix === undefined ? '' : `; ${fix}`}`
    const start = `${head(status)}${name.padEnd(NAME_WIDTH)}`
    // Checks of one family have one reason: it stands under the last of them.
    const next = shown[index + 1]
    const isLast = next === undefined || next.why !== why || next.status !== status
    return [
      ...(name.length < NAME_WIDTH ? [`${start}${text}`] : [start, `${indent}${text}`]),
      ...(isExplained && fix !== undefined ? [`${indent}fix: ${fix}`] : []),
      ...(isExplained && isLast ? [`${indent}why:  ${why}`] : []),
    ]
  })
  const inOrder = rows.filter(({ status }) => status === 'ok').map(({ name }) => name)
  const quiet = all || inOrder.length === 0 ? [] : wrapped(shortNames(inOrder))
  const last = quiet.map((line, index) => `${index === 0 ? head('ok') : ' '.repeat(LABEL_WIDTH)}${line}`)
  return [...lines, ...last, summary(rows)]
}

/** The verdicts for programs. */
export interface Report {
  readonly kubernetesVersion: string
  readonly passed: boolean
  readonly counts: Readonly<Record<Status, number>>
  readonly checks: readonly Row[]
}

export function reportOf(rows: readonly Row[], { config }: Wanted): Report {
  const count = (status: Status): number => rows.filter(row => row.status === status).length
  const counts = Object.fromEntries(ORDER.map(status => [status, count(status)])) as Record<Status, number>
  return { kubernetesVersion: formatVersion(config.version), passed: counts.error === 0, counts, checks: rows }
}

/** `1 error, 2 warnings, 30 in order`. */
export function summary(rows: readonly Row[]): string {
  return ORDER.map(status => [status, rows.filter(row => row.status === status).length] as const)
    .filter(([status, count]) => count > 0 || status === 'error')
    .map(([status, count]) => STYLES[status].summary(count))
    .join(', ')
}

const LINE_WIDTH = 110

/** Words in lines, separated by commas. */
function wrapped(words: readonly string[]): string[] {
  const lines: string[] = []
  for (const word of words) {
    const line = lines.at(-1)
    if (line === undefined || line.length + word.length + 2 > LINE_WIDTH) lines.push(word)
    else lines[lines.length - 1] = `${line}, ${word}`
  }
  return lines
}

/** Names of one family stand together: `Port-{6443,10259}`. */
function shortNames(names: readonly string[]): string[] {
  const families = new Map<string, string[]>()
  for (const name of new Set(names)) {
    const [family = ''] = /^(Port|FileAvailable|FileExisting|FileContent|DirAvailable)-/.exec(name) ?? []
    const key = family === '' ? name : family
    families.set(key, [...(families.get(key) ?? []), name.slice(key.length)])
  }
  return [...families].map(([family, members]) => {
    if (members.length === 1) return `${family}${members[0]}`
    return /^(Port|FileExisting)-$/.test(family) ? `${family}{${members.join(',')}}` : `${family}* (${members.length})`
  })
}
