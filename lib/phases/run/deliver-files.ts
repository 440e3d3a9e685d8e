/** The end of a phase that made credentials: say what was done, write it. */
import type { FileEntry } from '../../machine/files.ts'
import type { Output } from '../../cli/output.ts'

/** Where the result of a run goes; a Phase is one. */
export interface Destination {
  readonly dryRun: boolean
  /** Folder below which a dry run writes. */
  readonly target: string
  readonly write: (entries: readonly FileEntry[]) => void
}

export interface Delivery {
  readonly files: readonly FileEntry[]
  readonly messages: readonly string[]
  readonly kept?: readonly FileEntry[]
  readonly warnings?: readonly string[]
}

/** Writes all files or none, then says the messages; a dry run takes along what is kept. Throws what writing throws. */
export function deliver(
  { files, messages, kept = [], warnings = [] }: Delivery,
  { dryRun, target, write }: Destination,
  output: Output,
): void {
  const written = [...(dryRun ? kept : []), ...files]
  for (const warning of warnings) output.warn(warning)
  write(written)
  for (const message of messages) output.say(message)
  if (dryRun) output.say(`[dryrun] Wrote ${written.length} files below "${target}"`)
}

/** Kinds of credentials, as messages call their phases. */
const KINDS: readonly (readonly [phase: string, what: string])[] = [
  ['certs', 'certificates and keys'],
  ['kubeconfig', 'kubeconfig files'],
]

/** Says what was made and kept, each kind as lines that belong together. */
export function sayCredentials(messages: readonly string[], output: Output): void {
  for (const [phase, what] of KINDS) {
    const lines = messages.filter(line => line.startsWith(`[${phase}]`))
    const made = lines.filter(line => /\] (?:Generating|Writing|Deriving)/.test(line)).length
    const kept = lines.filter(line => /\] Using (?:the )?existing/.test(line)).length
    const counted = [made > 0 ? `${made} made` : '', kept > 0 ? `${kept} kept` : ''].filter(part => part !== '')
    if (lines.length > 0) output.fold(`[${phase}] ${what}: ${counted.join(', ') || 'none'}`, lines)
  }
}
