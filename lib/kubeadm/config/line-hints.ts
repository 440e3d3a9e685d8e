/** What a faulty line looks like: a template that nobody rendered, quotes of a word processor, a blank that is none. */
import type { Fault } from '../../base/errors.ts'

interface Mark {
  readonly pattern: RegExp
  readonly hint: (found: string) => string
}

/** Lines whose values are never shown. */
const SECRET_LINE = /token|certificateKey|password|secret/i

const shown = (found: string): string =>
  found === '' ? 'the value' : JSON.stringify(found.length > 40 ? `${found.slice(0, 40)}...` : found)
const unrendered = (found: string): string =>
  `${shown(found)} looks like a template that was not rendered; render it first, or write the value`
const unfilled = (found: string): string =>
  `${shown(found)} looks like a variable that was not filled in; run the file through envsubst, or write the value`

/** In the order in which they are looked for; the first that is there speaks. */
const MARKS: readonly Mark[] = [
  { pattern: /\{\{.*?\}\}|\{%.*?%\}|\{\{[^}]*$/, hint: unrendered },
  { pattern: /<%.*?%>|<%[^>]*$/, hint: unrendered },
  { pattern: /\$\{\{?[^}]*\}?\}|\$\([A-Za-z_]\w*\)|\$[A-Za-z_]\w*/, hint: unfilled },
  {
    pattern: /(?<![\w@])@@?[A-Za-z_]\w*@@?(?![\w@])|\b__[A-Za-z]\w*?__\b|%[A-Z_]+%|<[A-Z][A-Z0-9_-]+>/,
    hint: unfilled,
  },
  {
    pattern: /[\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb\uff02\uff07]/,
    hint: found => `${found} is a quotation mark of a word processor; write " or '`,
  },
  {
    pattern: /[\uff1a\uff0c\uff0d\u2013\u2014]/,
    hint: found => `${found} is not an ASCII sign; write ${ASCII[found] ?? 'the one of an English keyboard'}`,
  },
  {
    pattern: /[\u00a0\u2000-\u200b\u202f\u3000\ufeff]/,
    hint: () => 'a blank in this line is not the one of the space bar (a no-break or wide one); type it again',
  },
]

const ASCII: Readonly<Record<string, string>> = {
  '\uff1a': '":"',
  '\uff0c': '","',
  '\uff0d': '"-"',
  '\u2013': '"-"',
  '\u2014': '"-" or "--"',
}

/** A fault of syntax may be found a little after what caused it. */
const LINES_BEFORE = 2

/** The faults of a text, each with what its line looks like, where that explains it. */
export function explainLines(faults: readonly Fault[], text: string | undefined): Fault[] {
  const lines = (text ?? '').replace(/^\ufeff/, '').split(/\r?\n/)
  return faults.map(fault => {
    const isInText = fault.line !== undefined && fault.file !== 'flags'
    const hint = schemeHint(fault) ?? (isInText ? hintFor(lines, fault.line ?? 1, fault.field) : undefined)
    return hint === undefined ? fault : { ...fault, reason: `${fault.reason}; ${hint}` }
  })
}

/** A URL where a host, or the name of a registry, is wanted. */
function schemeHint({ field, value }: Fault): string | undefined {
  const [scheme] = /^https?:\/\//.exec(value ?? '') ?? []
  const isHost = /(?:ndpoint|SANs|mageRepository|control-plane-endpoint|image-repository|extra-sans)$/.test(field)
  return scheme !== undefined && isHost ? `leave "${scheme}" out` : undefined
}

function hintFor(lines: readonly string[], line: number, field: string): string | undefined {
  const back = field === '' ? LINES_BEFORE : 0
  for (let at = line; at >= Math.max(1, line - back); at--) {
    const text = (lines[at - 1] ?? '').replace(/(?:^|\s)#.*$/, '')
    for (const { pattern, hint } of MARKS) {
      const found = pattern.exec(text)?.[0]
      if (found !== undefined) return hint(SECRET_LINE.test(text) && found.length > 1 ? '' : found)
    }
  }
  return undefined
}
