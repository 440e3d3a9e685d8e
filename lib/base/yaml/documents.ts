/** Reads files of one or more YAML documents, keeping the lines of their fields and all that is wrong with them. */
import type { CST, Node } from 'yaml'
import { type Fault, KubestepError } from '../errors.ts'
import { isObject, type Json } from '../json.ts'
import { library } from './library.ts'
import { type Part, splitDocuments } from './split.ts'
import { type Conversion, type Finding, type Path, toJson } from './values.ts'

export type { Path } from './values.ts'

export interface YamlDocument {
  /** Left out when the document cannot be read; `faults` says why. */
  readonly value?: Json
  /** Line of the file, from 1, that the document starts in. */
  readonly line: number
  readonly faults: readonly Fault[]
  /** Line of the file, from 1, of a field or list item, or of the nearest thing around it that is there. */
  readonly lineOf: (path: Path) => number
  /** What is written, unquoted, as the value of a field or list item: `1.30` where the value is the number 1.3. */
  readonly scalarAt: (path: Path) => string | undefined
  /** The lines of the file that the document stands in, as they are. */
  readonly source: string
}

export interface ParseOptions {
  /** Lets the last of several equal keys win. @default {false} */
  readonly allowDuplicateKeys?: boolean
}

/** More faults than this help nobody. */
const MOST_FAULTS = 20
/** A configuration has a few documents of a few KiB; whatever has more is another file, and takes seconds to read. */
const MOST_KIB = 256
const MOST_DOCUMENTS = 100
const LONGEST_REASON = 300
/** What Go's reader refuses wherever it stands. */
const FORBIDDEN = /[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u

/**
 * The documents of a file (YAML or JSON), cut where kubeadm cuts them, empty ones included.
 * Never throws: what is wrong stands in `faults`, a fault of syntax once per document, keys that are set twice each with its path.
 */
export function parseDocuments(text: string, file?: string): readonly YamlDocument[] {
  const parts = text.length > MOST_KIB * 1024 ? [] : splitDocuments(text)
  const tooMuch =
    text.length > MOST_KIB * 1024
      ? `${MOST_KIB} KiB`
      : parts.length > MOST_DOCUMENTS
        ? `${MOST_DOCUMENTS} documents`
        : ''
  if (tooMuch !== '') {
    const reason = `it has more than ${tooMuch}; give the file that was meant`
    return [
      {
        line: 1,
        lineOf: () => 1,
        scalarAt: () => undefined,
        source: '',
        faults: [{ field: '', reason, line: 1, ...(file === undefined ? {} : { file }) }],
      },
    ]
  }
  return parts.map(part => readDocument(part, file))
}

/**
 * Reads one document; an empty text is null.
 * Throws KubestepError when it cannot be read, sets a key twice, or is followed by another one.
 */
export function parse(text: string, options: ParseOptions = {}): Json {
  const values = parseAll(text, options)
  if (values.length > 1) {
    throw new KubestepError(`yaml: cannot read the text: it holds ${values.length} documents; give one`)
  }
  return values[0] ?? null
}

/** Reads all documents of a text that are not empty. Throws KubestepError as `parse` does. */
export function parseAll(text: string, options: ParseOptions = {}): Json[] {
  return splitDocuments(text)
    .filter(part => part.junk !== undefined || !isEmpty(part.text))
    .map(part => {
      const { value, findings } = readPart(part)
      const wrong = options.allowDuplicateKeys ? findings.filter(({ earlier }) => earlier === undefined) : findings
      if (value === undefined || wrong.length > 0) {
        const faults = wrong.slice(0, MOST_FAULTS).map(finding => faultOf(part, finding))
        throw new KubestepError(
          faults
            .map(
              ({ line, field, reason }) =>
                `yaml: cannot read line ${line}: ${field === '' ? '' : `${field}: `}${reason}`,
            )
            .join('\n'),
        )
      }
      return value
    })
}

function readDocument(part: Part, file: string | undefined): YamlDocument {
  const { value, findings, offsets } = readPart(part)
  const place = file === undefined ? {} : { file }
  const faults = findings.slice(0, MOST_FAULTS).map(finding => ({ ...faultOf(part, finding), ...place }))
  const more = findings.length - faults.length
  const last = { field: '', reason: `${more} more faults of this kind`, ...place }
  return {
    ...(value === undefined ? {} : { value }),
    line: part.line,
    faults: more > 0 ? [...faults, last] : faults,
    lineOf: path => lineAt(part, value === undefined ? 0 : offsetAt(value, path, offsets)),
    scalarAt: path => (value === undefined ? undefined : scalarAfter(part.text, offsetAt(value, path, offsets), path)),
    source: part.source,
  }
}

function readPart(part: Part): Conversion {
  const failed = (offset: number, reason: string): Conversion => ({
    findings: [{ path: [], offset, reason }],
    offsets: new Map(),
  })
  if (part.junk !== undefined) {
    return failed(part.text.length, `"${part.junk}" cannot follow "---"; put it on a line of its own`)
  }
  const control = part.text.search(FORBIDDEN)
  if (control !== -1) {
    const code = (part.text.codePointAt(control) ?? 0).toString(16).toUpperCase().padStart(4, '0')
    return failed(control, `the character U+${code} cannot stand in YAML; write it as "\\u${code}" in double quotes`)
  }
  const { Composer, Parser } = library()
  const composer = new Composer({
    version: '1.1',
    schema: 'failsafe',
    resolveKnownTags: false,
    merge: false,
    uniqueKeys: false,
    logLevel: 'silent',
  })
  // Go reads no further than the first document either.
  for (const document of composer.compose(untilError(new Parser().parse(part.text)), true, part.text.length)) {
    const [error] = [...document.errors, ...document.warnings.filter(({ code }) => code === 'BAD_DIRECTIVE')]
    if (error !== undefined) return failed(error.pos[0], reasonOf(error.message))
    const { explicit, version } = document.directives.yaml
    if (explicit === true && version !== '1.1') {
      return failed(0, `YAML ${version} is not read; take the "%YAML" line out`)
    }
    return toJson(document.contents as Node | null)
  }
  return failed(0, 'it holds no document')
}

function isEmpty(text: string): boolean {
  return text.split('\n').every(line => /^\s*(#|$)|^(---|\.\.\.)/.test(line))
}

/** What follows the first fault of syntax only takes time. */
function* untilError(tokens: Iterable<CST.Token>): Generator<CST.Token, void> {
  for (const token of tokens) {
    yield token
    if (token.type === 'error') return
  }
}

function faultOf(part: Part, { path, offset, reason, earlier }: Finding): Fault {
  const first = earlier === undefined ? '' : `, first in line ${lineAt(part, earlier)}; keep one`
  return { field: clip(formatPath(path)), line: lineAt(part, offset), reason: `${clip(reason)}${first}` }
}

function lineAt(part: Part, offset: number): number {
  let line = part.line
  for (let at = part.text.indexOf('\n'); at !== -1 && at < offset; at = part.text.indexOf('\n', at + 1)) line += 1
  return line
}

function offsetAt(root: Json, path: Path, offsets: Conversion['offsets']): number {
  let offset = 0
  let value: Json | undefined = root
  for (const key of path) {
    const next = value === undefined ? undefined : offsets.get(value)?.get(key)
    if (next === undefined) break
    offset = next
    value = isObject(value) ? value[key] : (value as readonly Json[])[Number(key)]
  }
  return offset
}

/** The plain text at a place: a list item itself, or what follows a key. */
function scalarAfter(text: string, offset: number, path: Path): string | undefined {
  const rest = text.slice(offset)
  const after = typeof path.at(-1) === 'number' ? rest : /^(?:"[^"\n]*"|'[^'\n]*'|[^\n]*?)\s*:\s+(.*)$/s.exec(rest)?.[1]
  return /^[^\s#,}\]]+/.exec(after ?? '')?.[0]
}

/** A path as kubeadm writes it: `nodeRegistration.taints[0].key`. */
export function formatPath(path: Path): string {
  return path.map((key, index) => (typeof key === 'number' ? `[${key}]` : index === 0 ? key : `.${key}`)).join('')
}

function clip(text: string): string {
  return text.length > LONGEST_REASON ? `${text.slice(0, LONGEST_REASON)}...` : text
}

/** What the library's messages mean to whoever wrote the file. */
const REASONS: readonly (readonly [theirs: RegExp, ours: string])[] = [
  [/^Maximum call stack/, 'it is nested too deeply'],
  [/^Tabs are not allowed/i, 'a tab cannot indent in YAML; use blanks'],
  [
    /^Nested mappings are not allowed/,
    'the line has a second ": ", or the next one is indented too far; put each field on a line of its own, or quote the value',
  ],
  [
    /^Implicit (?:map )?keys need/,
    'it is no "name: value"; write a blank after the colon, or close what is open before it',
  ],
  [
    /^All (?:mapping|sequence|collection) items must start at the same column/,
    'it is indented otherwise than what stands beside it; use as many blanks',
  ],
]

/** The library's message in our form. */
function reasonOf(message: string): string {
  const ours = REASONS.find(([theirs]) => theirs.test(message))?.[1]
  return ours ?? message.charAt(0).toLowerCase() + message.slice(1)
}
