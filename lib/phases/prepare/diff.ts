/** Differences between two texts, as `diff -u` shows them. */

/** Lines around each difference, when nobody says. */
const CONTEXT = 3

type Mark = ' ' | '-' | '+'

/** Lines with their marks: the longest common part stays. Texts are short: files of /etc. */
function marked(before: readonly string[], after: readonly string[]): (readonly [Mark, string])[] {
  // common[i][j]: length of the longest common part of what follows i and j.
  const common = Array.from({ length: before.length + 1 }, () => new Array<number>(after.length + 1).fill(0))
  const at = (i: number, j: number): number => common[i]?.[j] ?? 0
  for (let i = before.length - 1; i >= 0; i--) {
    const row = common[i] ?? []
    for (let j = after.length - 1; j >= 0; j--) {
      row[j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  const rows: (readonly [Mark, string])[] = []
  let i = 0
  let j = 0
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      rows.push([' ', before[i] ?? ''])
      i++
      j++
    } else if (i < before.length && (j >= after.length || at(i + 1, j) >= at(i, j + 1))) {
      rows.push(['-', before[i++] ?? ''])
    } else rows.push(['+', after[j++] ?? ''])
  }
  return rows
}

/** The difference of a file's texts; null stands for no file. Empty when there is none. */
export function unifiedDiff(
  path: string,
  before: string | null,
  after: string | null,
  context: number = CONTEXT,
): string[] {
  const rows = marked(linesOf(before), linesOf(after))
  const changed = rows.flatMap(([mark], index) => (mark === ' ' ? [] : [index]))
  if (changed.length === 0) return []
  const shown = rows.map((_row, index) => changed.some(other => Math.abs(other - index) <= context))
  const lines: string[] = []
  let oldLine = 1
  let newLine = 1
  for (let start = 0; start < rows.length; ) {
    let end = start
    while (end < rows.length && shown[end] === shown[start]) end++
    const hunk = rows.slice(start, end)
    const oldCount = hunk.filter(([mark]) => mark !== '+').length
    const newCount = hunk.filter(([mark]) => mark !== '-').length
    if (shown[start]) {
      lines.push(`@@ -${rangeOf(oldLine, oldCount)} +${rangeOf(newLine, newCount)} @@`)
      lines.push(...hunk.map(([mark, line]) => `${mark}${line}`))
    }
    oldLine += oldCount
    newLine += newCount
    start = end
  }
  return [`--- ${before === null ? '/dev/null' : path}`, `+++ ${after === null ? '/dev/null' : path}`, ...lines]
}

// diff(1): an empty range is named by the line before it.
function rangeOf(line: number, count: number): string {
  return count === 1 ? `${line}` : `${count === 0 ? line - 1 : line},${count}`
}

function linesOf(text: string | null): string[] {
  return text === null || text === '' ? [] : text.replace(/\n$/, '').split('\n')
}
