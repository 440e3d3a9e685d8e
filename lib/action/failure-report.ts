/** Why a step is red: the cause for the annotation's title, the rest for its text and the summary. */

import { isObject, type JsonObject } from '../base/json.ts'
import { maskSecrets } from '../base/secrets.ts'

export interface Failure {
  /** One line: the cause, not the symptom. */
  readonly title: string
  /** Everything that was said. */
  readonly text: string
  /** First broken link, where there is one. */
  readonly link?: string
  /** Last words of whoever is broken. */
  readonly lines: readonly string[]
  /** Where the log bundle lies. */
  readonly logs?: string
}

const LONGEST_TITLE = 160

/** How preflight ends its list. */
const CLOSING = /^preflight: cannot set up a cluster on this machine/

/** Reads the event "error" of init; without one (it was killed, or never started) there is its standard error. */
export function failureOf(event: JsonObject | undefined, status: number, stderr: string): Failure {
  const said = maskSecrets(typeof event?.text === 'string' ? event.text : stderr.trim())
  const broken = isObject(event?.broken) ? event.broken : undefined
  const text = said === '' ? `init ended with status ${status} and said nothing` : said
  const lines = Array.isArray(broken?.lines) ? broken.lines.map(line => maskSecrets(String(line))) : []
  const cause = maskSecrets(String(broken?.cause ?? ''))
  return {
    // Without what is said of the logs.
    title:
      broken === undefined
        ? firstFault(typeof event?.reason === 'string' ? maskSecrets(event.reason) : text)
        : shortened(`${broken.link}: ${withWords(cause, lines)}`),
    text,
    ...(typeof broken?.link === 'string' && { link: broken.link }),
    lines,
    ...(typeof event?.logs === 'string' && { logs: event.logs }),
  }
}

/** A failure from messages that name what is wrong, one line each. */
export function failureFrom(messages: readonly string[]): Failure {
  const text = maskSecrets(messages.join('\n'))
  return { title: firstFault(text), text, lines: [] }
}

/** Words of those who say why they end. */
const TELLING = /\b(error|unknown|invalid|cannot|unable|fail|no such|not found|refused|denied|panic|fatal|exceeded)/i
/** What klog puts before a message. */
const KLOG_HEADER = /^[IWEF]\d{4} [\d:.]+ +\d+ \S+\] /

// That something ended is the symptom; why, it said itself.
function withWords(cause: string, lines: readonly string[]): string {
  if (!/^it (has )?ended/.test(cause)) return cause
  const line = lines.findLast(one => TELLING.test(one)) ?? lines.at(-1) ?? ''
  const words = line
    .replace(KLOG_HEADER, '')
    .replace(/^Error: /, '')
    .trim()
  return cause.includes(words) ? cause : `${words} (${cause})`
}

// `init: cannot give port 6443 to the API server: ...; ...`: without who says it, and with how many more there are.
function firstFault(text: string): string {
  const lines = text.split('\n')
  const faults = lines.flatMap((line, index) => {
    if (!/^[\w-]+: \S/.test(line) || CLOSING.test(line)) return []
    const listed = line.endsWith(':') ? listBelow(lines, index) : []
    return listed.length === 0 ? [line] : listed.map(item => `${line} ${item}`)
  })
  const first = (faults[0] ?? lines[0] ?? '').replace(/^(init|action|config|load|preflight|upgrade): /, '')
  return faults.length > 1 ? `${shortened(first)} (and ${faults.length - 1} more)` : shortened(first)
}

// A line that ends with a colon is followed by its faults, set in.
function listBelow(lines: readonly string[], index: number): string[] {
  const rest = lines.slice(index + 1)
  const end = rest.findIndex(line => !line.startsWith('  '))
  return rest.slice(0, end === -1 ? rest.length : end).map(line => line.trim())
}

function shortened(text: string): string {
  const line = text.split('\n')[0] ?? ''
  return line.length <= LONGEST_TITLE ? line : `${line.slice(0, LONGEST_TITLE - 3)}...`
}
