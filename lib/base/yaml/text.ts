/** How Go writes a text: the style it picks, its escapes, and where it folds. */
import { isPlainText } from './plain-scalar.ts'

/** Text folds at the first lone space past this column. */
const WIDTH = 80
const BREAK = /[\n\r\u0085\u2028\u2029]/
/** What cannot stand for itself: control characters, byte order marks, and all beyond 16 bits. */
const UNPRINTABLE = /[^\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/u
/** What plain text cannot start with or hold, as it would start something else. */
const INDICATOR = /^(---|\.\.\.|[#,[\]{}&*!|>'"%@`]|[-?:]( |$))|:( |$)| #/

const ESCAPES: Readonly<Record<string, string>> = {
  '\0': '0',
  '\x07': 'a',
  '\b': 'b',
  '\t': 't',
  '\n': 'n',
  '\v': 'v',
  '\f': 'f',
  '\r': 'r',
  '\x1b': 'e',
  '"': '"',
  '\\': '\\',
  '\u0085': 'N',
  '\u00a0': '_',
  '\u2028': 'L',
  '\u2029': 'P',
}

type Style = 'plain' | 'single' | 'double' | 'literal'

/** Whether `text` spans lines in YAML's eyes. */
export function hasBreak(text: string): boolean {
  return BREAK.test(text)
}

/**
 * The lines that stand for `text` when it starts at `column`; all but the first start at `indent`, given in spaces.
 * A key (`isKey`) is never folded.
 * Source: the emitter of Go's yaml/v2.
 */
export function textLines(text: string, column: number, indent: number, isKey: boolean): readonly string[] {
  const style = styleOf(text)
  const width = isKey ? Number.POSITIVE_INFINITY : WIDTH
  switch (style) {
    case 'literal':
      return literalLines(text, indent)
    case 'double':
      return foldDouble(text, column, indent, width)
    default:
      return fold(text, style === 'single' ? "'" : '', column, indent, width)
  }
}

function styleOf(text: string): Style {
  if (UNPRINTABLE.test(text) || / [\n\u2028\u2029]/.test(text)) return 'double'
  if (text.includes('\n')) return text.endsWith(' ') ? 'double' : 'literal'
  if (!isPlainText(text) || /[\u2028\u2029] /.test(text)) return 'double'
  return INDICATOR.test(text) || BREAK.test(text) || text.startsWith(' ') || text.endsWith(' ') ? 'single' : 'plain'
}

/** Plain or single-quoted text. */
function fold(text: string, quote: string, column: number, indent: number, width: number): readonly string[] {
  const lines: string[] = []
  const chars = Array.from(text)
  let line = quote
  let at = column + quote.length
  chars.forEach((char, index) => {
    const isLone = char === ' ' && chars[index - 1] !== ' ' && chars[index + 1] !== ' '
    if (isLone && at > width && (quote === '' || (index > 0 && index < chars.length - 1))) {
      lines.push(line)
      line = ' '.repeat(indent)
      at = indent
      return
    }
    const isAfterBreak = index > 0 && BREAK.test(chars[index - 1] ?? '') && !BREAK.test(char)
    line += `${isAfterBreak ? ' '.repeat(indent) : ''}${char === "'" && quote !== '' ? "''" : char}`
    at = isAfterBreak ? indent + 1 : at + (char === "'" && quote !== '' ? 2 : 1)
  })
  return [...lines, line + quote]
}

function foldDouble(text: string, column: number, indent: number, width: number): readonly string[] {
  const lines: string[] = []
  const chars = Array.from(text)
  // Go takes a byte order mark at the start for one at every place.
  const escapesAll = text.startsWith('\ufeff')
  let line = '"'
  let at = column + 1
  chars.forEach((char, index) => {
    const isInner = index > 0 && index < chars.length - 1
    if (!escapesAll && char === ' ' && chars[index - 1] !== ' ' && isInner && at > width) {
      lines.push(line)
      line = ' '.repeat(indent) + (chars[index + 1] === ' ' ? '\\' : '')
      at = line.length
      return
    }
    const written =
      escapesAll || UNPRINTABLE.test(char) || BREAK.test(char) || /["\\]/.test(char) ? escapeOf(char) : char
    line += written
    at += written.length
  })
  return [...lines, `${line}"`]
}

function escapeOf(char: string): string {
  const short = ESCAPES[char]
  if (short !== undefined) return `\\${short}`
  const code = char.codePointAt(0) ?? 0
  const [letter, length] = code <= 0xff ? ['x', 2] : code <= 0xffff ? ['u', 4] : ['U', 8]
  return `\\${letter}${code.toString(16).toUpperCase().padStart(Number(length), '0')}`
}

/** `|` with hints for what the indentation and the end would not tell, then the lines; no break after the last. */
function literalLines(text: string, indent: number): readonly string[] {
  const pad = ' '.repeat(indent)
  const indentHint = /^[ \n\u2028\u2029]/.test(text) ? '2' : ''
  const ending = /([\n\u2028\u2029]*)$/.exec(text)?.[1] ?? ''
  const endHint = ending === '' ? '-' : ending.length > 1 || ending.length === text.length ? '+' : ''
  const lines = text.split('\n').map(line => line.replace(/[^\u2028\u2029]+/g, part => pad + part))
  return [`|${indentHint}${endHint}`, ...lines]
}
