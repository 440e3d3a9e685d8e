/** What is wrong with a configuration: found by field, then placed in the file or on the command line it came from. */
import { ConfigError, type Fault, formatFault } from '../../base/errors.ts'
import type { Path } from '../../base/yaml.ts'

/** Something wrong with a field, before it is known who wrote it. */
export interface Finding {
  readonly kind: string
  /** Path of the field as kubeadm names it, e.g. `bootstrapTokens.0.usages`; empty for the whole document. */
  readonly field: string
  /** The offending value; never a secret. */
  readonly value?: string
  readonly reason: string
  /** No mistake, but something to know: it stops nothing. */
  readonly isWarning?: true
}

/** A value that was completed and checked. */
export interface Checked<T> {
  readonly value: T
  readonly findings: readonly Finding[]
  /** What people should know though nothing is wrong. */
  readonly notices: readonly string[]
}

/** Where a document of a kind came from. */
export interface Origin {
  readonly kind: string
  readonly file?: string
  readonly lineOf?: (path: Path) => number | undefined
  /** Which flag set which field, e.g. `networking.podSubnet` by `pod-network-cidr`. */
  readonly flags: Readonly<Record<string, string>>
}

const LONGEST_VALUE = 80
const SECRETS: readonly string[] = ['token', 'tlsBootstrapToken', 'certificateKey']

/** Findings as faults people can act on: each names its file and line, or its flag. Warnings are none. */
export function placeFindings(findings: readonly Finding[], origins: readonly Origin[]): Fault[] {
  return findings
    .filter(({ isWarning }) => !isWarning)
    .map(finding => placeFinding(finding, originOf(finding, origins)))
}

/** A line for each finding that stops nothing. */
export function warningLines(findings: readonly Finding[], origins: readonly Origin[]): string[] {
  return findings
    .filter(({ isWarning }) => isWarning)
    .map(finding => formatFault(placeFinding(finding, originOf(finding, origins))))
}

function originOf({ kind }: Finding, origins: readonly Origin[]): Origin | undefined {
  return origins.find(origin => origin.kind === kind)
}

function placeFinding({ kind, field, value, reason }: Finding, origin: Origin | undefined): Fault {
  const path = fieldPath(field)
  const shown = value === undefined || isSecret(path) ? {} : { value: shorten(value) }
  const flag = flagOf(field, origin)
  if (flag !== undefined) return { file: 'flags', field: `--${flag}`, ...shown, reason }
  const line = origin?.lineOf?.(path)
  return {
    ...(origin?.file !== undefined && { file: origin.file }),
    ...(line !== undefined && { line }),
    kind,
    field,
    ...shown,
    reason,
  }
}

// A flag may have set the field, or something in it: one token of `bootstrapTokens`.
function flagOf(field: string, origin: Origin | undefined): string | undefined {
  const flags = Object.entries(origin?.flags ?? {})
  return (flags.find(([set]) => set === field) ?? flags.find(([set]) => isWithin(field, set)))?.[1]
}

/** Whether `field` is `outer` or lies in it. */
export function isWithin(field: string, outer: string): boolean {
  const path = fieldPath(field)
  return fieldPath(outer).every((key, index) => path[index] === key)
}

/** The keys of a field's path, from `apiServer.extraArgs[0].value` or `bootstrapTokens.0.usages`. */
export function fieldPath(field: string): Path {
  return [...field.matchAll(/\[([^\]]*)\]|([^.[\]]+)/g)].map(([, bracketed, name]) => {
    const key = bracketed ?? name ?? ''
    return /^\d+$/.test(key) ? Number(key) : key
  })
}

/** Whether a field's value may never be shown. */
export function isSecret(path: Path): boolean {
  return path.some(key => SECRETS.includes(String(key)))
}

function shorten(value: string): string {
  return value.length > LONGEST_VALUE ? `${value.slice(0, LONGEST_VALUE)}...` : value
}

/** Throws a ConfigError with all faults, in the order of their lines; nothing when there are none. */
export function refuse(faults: readonly Fault[]): void {
  if (faults.length === 0) return
  const line = (fault: Fault): number => fault.line ?? Number.POSITIVE_INFINITY
  throw new ConfigError([...faults].sort((a, b) => (line(a) === line(b) ? 0 : line(a) - line(b))))
}
