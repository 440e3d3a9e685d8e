/** The known word that a mistyped one most likely stands for. */

/** Words that are shorter begin too much. */
const SHORTEST_BEGINNING = 3

/**
 * The candidate with the smallest edit distance, if that is at most a third of the word; else the only one that
 * begins with the word; else undefined.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best ?? onlyContinuation(word.toLowerCase(), candidates)
}

function onlyContinuation(word: string, candidates: readonly string[]): string | undefined {
  const longer = candidates.filter(candidate => candidate.toLowerCase().startsWith(word))
  return word.length >= SHORTEST_BEGINNING && longer.length === 1 ? longer[0] : undefined
}

// Levenshtein, one row at a time.
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(substitution, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1))
    }
    previous = row
  }
  return previous[b.length] ?? 0
}
