/** The lines of a log that say why something ended. */
import { maskSecrets, withoutKeys } from '../../base/secrets.ts'

/** What stands before the text in a container's log file as CRI writes it: time, stream, tag. */
const CRI_PREFIX = /^\S+ (?:stdout|stderr) [FP] /

/** klog's E and F lines, levels of etcd and containerd, what Go and a program's flags say before they give up. */
const ERROR =
  /^[EF]\d{4} |"level":"(?:error|fatal|panic)"|level=(?:error|fatal|panic)|^(?:Error|error|panic|fatal|FATAL)\b|flag provided but not defined|unknown flag/

/** Lines that a component repeats while it waits for another one, or while it goes down: true, but not the cause. */
const NOISE: readonly RegExp[] = [
  /failed to update lease/i,
  /Failed to ensure lease exists/i,
  /connection refused/i,
  /context deadline exceeded/i,
  /Failed to watch/i,
  // A private containerd starts before its network is written, and notices every file that is written there.
  /failed to load cni during init|failed to reload cni configuration/,
  // containerd before 2.0 does not have it, and the kubelet does without.
  /RuntimeConfig from runtime service failed/,
]

/** What a program says when it gives up. */
const DEADLY =
  /^F\d{4} |"command failed"|Failed to listen and serve|"level":"(?:fatal|panic)"|level=(?:fatal|panic)|^(?:Error:|panic|fatal|FATAL)|flag provided but not defined|unknown flag/

/** Of longer lines the middle is left out: who speaks stands at the beginning, and why at the end. */
const HEAD = 160
const TAIL = 340

/**
 * The last `count` different lines that report an error, or else the last lines at all; masked, and cut where very long.
 * Lines of mere waiting are passed over while there are others.
 */
export function tellingLines(log: string, count: number): string[] {
  const lines = linesOf(log)
  const errors = lines.filter(line => ERROR.test(line))
  const causes = errors.filter(line => !NOISE.some(noise => noise.test(line)))
  const chosen = causes.length > 0 ? causes : errors.length > 0 ? errors : lines
  return lastDifferent(chosen, count).map(forPeople)
}

/** The last words of a program that ended: why it gave up, or else its telling lines. */
export function lastWords(log: string, count: number): string[] {
  const deadly = linesOf(log).filter(line => DEADLY.test(line))
  return deadly.length > 0 ? lastDifferent(deadly, count).map(forPeople) : tellingLines(log, count)
}

// A key has many lines, and is none in a single one of them.
function linesOf(log: string): string[] {
  return withoutKeys(log)
    .split('\n')
    .map(line => line.replace(CRI_PREFIX, ''))
    .filter(line => line.trim() !== '')
}

// A service that is started again and again says the same each time, but for the time of day.
function lastDifferent(lines: readonly string[], count: number): string[] {
  const seen = new Set<string>()
  const different = [...lines].reverse().filter(line => {
    const gist = line.replace(/[0-9a-f]{12,}|\d+/g, '')
    return !seen.has(gist) && seen.add(gist)
  })
  return different.slice(0, count).reverse()
}

function forPeople(line: string): string {
  const text = maskSecrets(readable(line))
  return shorten(text)
}

/** The text without its middle when it is very long. */
export function shorten(text: string): string {
  return text.length <= HEAD + TAIL ? text : `${text.slice(0, HEAD)} ... ${text.slice(-TAIL)}`
}

/** etcd's JSON as a sentence: who, what, why. */
function readable(line: string): string {
  if (!line.startsWith('{')) return line
  try {
    const { level, caller, msg, error } = JSON.parse(line) as Readonly<Record<string, unknown>>
    if (typeof msg !== 'string') return line
    return `${level} ${caller}: ${msg}${error === undefined ? '' : `: ${error}`}`
  } catch {
    return line
  }
}
