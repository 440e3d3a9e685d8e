/** A word as a shell takes it literally: tests write scripts for shells, nothing else does. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
