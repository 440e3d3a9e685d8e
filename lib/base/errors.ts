/**
 * The errors a person meets. Messages read `<phase>: cannot <verb> <thing> "<value>": <reason>; <what to do>`:
 * lower case, no full stop, values in double quotes, paths whole. Secrets never enter a message.
 */

import type { Json } from './json.ts'

/** Something that cannot be done, with a message for people; exit status 1. */
export class KubestepError extends Error {
  override readonly name: string = 'KubestepError'
}

/** The command line is wrong; exit status 2. */
export class UsageError extends KubestepError {
  override readonly name: string = 'UsageError'
}

/** Why something cannot be done, without the phase that wanted it: whoever knows that puts its name before (`messageOf`). */
export class Reason extends KubestepError {
  override readonly name: string = 'Reason'
}

/** A wait came to its end without what was waited for: what is in the way is somewhere else. */
export class WaitError extends Reason {
  override readonly name: string = 'WaitError'
}

/** A run that failed, with what programs want to know of it besides the message; no secrets here either. */
export class RunError extends KubestepError {
  override readonly name: string = 'RunError'
  readonly facts: Readonly<Record<string, Json>>

  constructor(message: string, facts: Readonly<Record<string, Json>>, options?: ErrorOptions) {
    super(message, options)
    this.facts = facts
  }
}

/** One thing that is wrong with a configuration. */
export interface Fault {
  /** Path of the field as kubeadm writes it, e.g. `networking.podSubnet`; empty for the whole document. */
  readonly field: string
  /** The offending value as it should be shown; leave it out for secrets and for missing values. */
  readonly value?: string
  /** Why, and what to do. */
  readonly reason: string
  /** Kind of the document, e.g. `ClusterConfiguration`. */
  readonly kind?: string
  /** Name of the file (or `flags`) the fault is in. */
  readonly file?: string
  /** Line in the file, from 1. */
  readonly line?: number
}

/** A configuration is wrong; holds every fault found, the message lists them one per line. */
export class ConfigError extends KubestepError {
  override readonly name: string = 'ConfigError'
  readonly faults: readonly Fault[]

  constructor(faults: readonly Fault[]) {
    super(faults.map(formatFault).join('\n'))
    this.faults = faults
  }
}

/** `config: <file>:<line>: <kind> <field> "<value>": <reason>`; parts that are not known are left out. */
export function formatFault(fault: Fault): string {
  const place = fault.file === undefined ? '' : `${fault.file}${fault.line === undefined ? '' : `:${fault.line}`}: `
  const subject = [fault.kind ?? '', fault.field, fault.value === undefined ? '' : JSON.stringify(fault.value)].filter(
    part => part !== '',
  )
  return `config: ${place}${subject.length > 0 ? `${subject.join(' ')}: ` : ''}${fault.reason}`
}

/** A command failed; holds what it was, its status and its output. */
export class CommandError extends KubestepError {
  override readonly name: string = 'CommandError'
  readonly command: string
  readonly exitCode: number | null
  readonly output: string

  constructor(message: string, command: string, exitCode: number | null, output: string) {
    super(message)
    this.command = command
    this.exitCode = exitCode
    this.output = output
  }
}

/** The message of an error, for people who have started `phase`. */
export function messageOf(phase: string, error: KubestepError): string {
  return error instanceof Reason ? `${phase}: ${error.message}` : error.message
}

/** The text of anything thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
