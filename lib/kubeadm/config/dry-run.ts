/** Whether a run is a dry one, known before its configuration is completed: a dry run stays off the network. */
import type { Flags } from '../../cli/options.ts'
import { readSource } from './config-source.ts'

/** As the flag says, or else the file. The file is only read for good when it seems to speak of it. */
export function isDryRun({ text }: { readonly text?: string }, flags: Flags): boolean {
  if (flags['dry-run'] !== undefined) return flags['dry-run']
  return text !== undefined && /\bdryRun\b/.test(text) && readSource({ text }).drafts.InitConfiguration?.dryRun === true
}
