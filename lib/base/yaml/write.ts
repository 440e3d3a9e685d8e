/** Writes values as Go's sigs.k8s.io/yaml does, byte for byte: no library of npm folds, quotes and sorts like that. */
import { Buffer } from 'node:buffer'
import { compareKeys } from './order.ts'
import { formatNumber } from './plain-scalar.ts'
import { hasBreak, textLines } from './text.ts'

const INDENT = 2
/** Half of a pair is no character; JSON in Go replaces it. */
const LONE_SURROGATE = /\p{Surrogate}/gu
/** A key longer than this many bytes gets a line of its own, after `? `. */
const LONGEST_KEY = 128

/** What has been written; `line` is the unfinished line. */
interface Output {
  readonly lines: string[]
  line: string
}

/**
 * Writes a value as one YAML document, ending in a line break: keys sorted as Go sorts them, lists at the column of their key.
 * Members that are `undefined` are left out, as is what JSON leaves out.
 * Source: sigs.k8s.io/yaml v1.6 over yaml/v2, as in Kubernetes 1.36.
 */
export function stringify(value: unknown): string {
  const output: Output = { lines: [], line: '' }
  writeNode(output, value, 0, true)
  if (output.line !== '') newLine(output)
  return output.lines.join('')
}

/** Writes `value` right after what is on the line; nested lines start at `indent`, text goes on at `textIndent`. */
function writeNode(output: Output, value: unknown, indent: number, isRoot: boolean): void {
  const textIndent = isRoot ? INDENT : indent
  const json = toJson(value)
  if (typeof json === 'string') {
    writeText(output, json, textIndent, false)
  } else if (Array.isArray(json)) {
    writeList(output, json, indent)
  } else if (typeof json === 'object' && json !== null) {
    writeMapping(output, json as Readonly<Record<string, unknown>>, indent)
  } else {
    writeWord(output, typeof json === 'number' ? formatNumber(json) : String(json))
  }
}

/** What JSON makes of a value: dates become text, infinities and whatever has no form become null. */
function toJson(value: unknown): unknown {
  if (typeof value === 'object' && value !== null && 'toJSON' in value && typeof value.toJSON === 'function') {
    return value.toJSON()
  }
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  return typeof value === 'function' || typeof value === 'symbol' || value === undefined ? null : value
}

function writeList(output: Output, list: readonly unknown[], indent: number): void {
  if (list.length === 0) {
    writeWord(output, '[]')
    return
  }
  for (const item of list) {
    startLine(output, indent)
    output.line += '-'
    writeNode(output, item, indent + INDENT, false)
  }
}

function writeMapping(output: Output, mapping: Readonly<Record<string, unknown>>, indent: number): void {
  const keys = Object.keys(mapping)
    .filter(key => mapping[key] !== undefined)
    .sort(compareKeys)
  if (keys.length === 0) {
    writeWord(output, '{}')
    return
  }
  for (const key of keys) {
    startLine(output, indent)
    const isSimple = !hasBreak(key) && Buffer.byteLength(key) <= LONGEST_KEY
    if (isSimple) {
      writeText(output, key, indent, true)
    } else {
      output.line += '?'
      writeText(output, key, indent + INDENT, false)
      startLine(output, indent)
    }
    output.line += ':'
    const value = mapping[key]
    if (isSimple && isBlock(value)) newLine(output)
    writeNode(output, value, Array.isArray(value) && isSimple ? indent : indent + INDENT, false)
  }
}

function isBlock(value: unknown): boolean {
  const json = toJson(value)
  if (Array.isArray(json)) return json.length > 0
  return typeof json === 'object' && json !== null && Object.values(json).some(member => member !== undefined)
}

function newLine(output: Output): void {
  output.lines.push(`${output.line}\n`)
  output.line = ''
}

/** Goes to column `indent` of the line if only indicators stand before it, else of the next one. */
function startLine(output: Output, indent: number): void {
  if (output.line.length > indent) newLine(output)
  output.line = output.line.padEnd(indent)
}

function writeWord(output: Output, word: string): void {
  output.line += isSpaced(output.line) ? word : ` ${word}`
}

/** Whether a word can follow right away. */
function isSpaced(line: string): boolean {
  return line === '' || line.endsWith(' ')
}

function writeText(output: Output, text: string, indent: number, isKey: boolean): void {
  const column = output.line.length + (isSpaced(output.line) ? 0 : 1)
  const lines = textLines(text.replace(LONE_SURROGATE, '\ufffd'), column, indent, isKey)
  writeWord(output, lines[0] ?? '')
  for (const line of lines.slice(1)) {
    newLine(output)
    output.line = line
  }
}
