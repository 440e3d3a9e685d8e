/** The order in which Go writes the keys of a mapping. */

/**
 * Compares two keys: runs of digits count as numbers (`k2` before `k10`), letters come after everything else.
 * Source: the sorter of Go's yaml/v2. Its order is not total for a few odd pairs of keys, where Go itself varies from run to run.
 */
export function compareKeys(a: string, b: string): number {
  const left = Array.from(a)
  const right = Array.from(b)
  const at = left.findIndex((char, index) => char !== right[index])
  const [leftChar, rightChar] = [left[at], right[at]]
  if (at === -1 || leftChar === undefined || rightChar === undefined) return left.length - right.length
  const [leftLetter, rightLetter] = [isLetter(leftChar), isLetter(rightChar)]
  if (leftLetter !== rightLetter) return leftLetter ? 1 : -1
  if (!leftLetter) {
    // A zero inside a number does not lead it: 1 stands for the digits before.
    const lead = (leftChar === '0' || rightChar === '0') && isInsideNumber(left, at) ? '1' : '0'
    const [leftRun, rightRun] = [digitsFrom(left, at), digitsFrom(right, at)]
    const difference = digitValue(lead, leftRun) - digitValue(lead, rightRun)
    if (difference !== 0n) return difference < 0n ? -1 : 1
    if (leftRun.length !== rightRun.length) return leftRun.length - rightRun.length
  }
  return (leftChar.codePointAt(0) ?? 0) - (rightChar.codePointAt(0) ?? 0)
}

function isLetter(char: string): boolean {
  return /\p{L}/u.test(char)
}

function isDigit(char: string | undefined): boolean {
  return char !== undefined && /\p{Nd}/u.test(char)
}

/** Whether the digits right before `at` are more than zeros. */
function isInsideNumber(chars: readonly string[], at: number): boolean {
  for (let index = at - 1; index >= 0 && isDigit(chars[index]); index--) {
    if (chars[index] !== '0') return true
  }
  return false
}

function digitsFrom(chars: readonly string[], at: number): readonly string[] {
  const end = chars.findIndex((char, index) => index >= at && !isDigit(char))
  return chars.slice(at, end === -1 ? chars.length : end)
}

/** Go counts in 64 bits and takes every digit by its distance from "0", whatever its script. */
function digitValue(lead: string, digits: readonly string[]): bigint {
  return digits.reduce(
    (value, digit) => BigInt.asIntN(64, value * 10n + BigInt((digit.codePointAt(0) ?? 0) - 0x30)),
    BigInt(lead),
  )
}
