/** The lines of a log that say something, with secrets taken out. */

/** A line of a container's log file as CRI writes it: time, stream, tag, text. */
const CRI_PREFIX = /^\S+ (?:stdout|stderr) [FP] /

/** Lines that a component repeats while it waits for another one: true, but not the cause. */
const NOISE: readonly RegExp[] = [/failed to update lease/i, /Failed to ensure lease exists/i, /connection refused/i]

/**
 * The last `count` lines that report an error, or else the last lines at all. Text after CRI's own prefix.
 * Lines of mere waiting are passed over while there are others.
 */
export function tellingLines(log: string, count: number): string[] {
  const lines = log
    .split('\n')
    .map(line => line.replace(CRI_PREFIX, ''))
    .filter(line => line.trim() !== '')
  const errors = lines.filter(isError)
  const causes = errors.filter(line => !NOISE.some(noise => noise.test(line)))
  const chosen = causes.length > 0 ? causes : errors.length > 0 ? errors : lines
  return chosen.slice(-count).map(maskSecrets)
}

// klog's E and F lines, etcd's and containerd's levels, and what a program says before it gives up.
function isError(line: string): boolean {
  return /^[EF]\d{4} |"level":"(?:error|fatal|panic)"|level=(?:error|fatal)|^(?:Error|error|panic|fatal)\b|flag provided but not defined|unknown flag/.test(
    line,
  )
}

const SECRETS: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  // Bootstrap tokens.
  [/\b([a-z0-9]{6})\.[a-z0-9]{16}\b/g, '$1.<masked>'],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, '<masked private key>'],
  [/\b(Bearer|Basic) [\w.~+/=-]+/g, '$1 <masked>'],
  [
    /\b((?:client-key-data|token|token-secret|password|certificateKey|certificate-key)["']?\s*[:=]\s*["']?)[^\s"',}]+/gi,
    '$1<masked>',
  ],
  // JSON web tokens of service accounts.
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, '<masked token>'],
]

/** Text without keys, tokens and passwords. */
export function maskSecrets(text: string): string {
  return SECRETS.reduce((masked, [pattern, replacement]) => masked.replace(pattern, replacement), text)
}
