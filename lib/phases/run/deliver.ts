/** The end of a phase: what it rendered is said and written, in a dry run shown; objects go into the cluster. */
import type { Output } from '../../cli/output.ts'
import type { Call } from '../../cli/script.ts'
import type { Api } from '../../cluster/api/api-client.ts'
import { applyObjects } from '../../cluster/api/apply-objects.ts'
import { keepingChanges } from '../../cluster/api/kept-changes.ts'
import { type ClusterObject, clusterObjectsYaml } from '../../kubeadm/objects/cluster-object.ts'
import type { Applied, Rendered } from '../phase.ts'
import { withApi } from './cluster-access.ts'
import type { OpenedPhase } from './open-phase.ts'

/** Where the objects of a dry run go, below its folder. */
const FILE = '/cluster-objects.yaml'

/** Writes all files or none, then says the messages; a dry run takes along what is kept. Throws what writing throws. */
export function deliverFiles(
  { files, messages, kept = [], warnings = [] }: Rendered,
  { dryRun, target, write }: Pick<OpenedPhase, 'dryRun' | 'target' | 'write'>,
  output: Output,
): void {
  const written = [...(dryRun ? kept : []), ...files]
  for (const warning of warnings) output.warn(warning)
  write(written)
  for (const message of messages) output.say(message)
  if (dryRun) output.say(`[dryrun] Wrote ${written.length} files below "${target}"`)
}

/** Says what a phase of a run has rendered: where one line will do for all of its own, how many were made and kept. */
export function sayRendered(phase: string, { messages, warnings = [], folded }: Rendered, output: Output): void {
  for (const warning of warnings) output.warn(warning)
  if (folded === undefined || messages.length === 0) {
    for (const message of messages) output.say(message)
    return
  }
  const made = messages.filter(line => /\] (?:Generating|Writing|Deriving)/.test(line)).length
  const kept = messages.filter(line => /\] Using (?:the )?existing/.test(line)).length
  const counted = [made > 0 ? `${made} made` : '', kept > 0 ? `${kept} kept` : ''].filter(part => part !== '')
  output.fold(`[${phase}] ${folded}: ${counted.join(', ') || 'none'}`, messages)
}

/**
 * A dry run prints the objects, alone on stdout, or with --output-dir writes them there; otherwise they go into the
 * cluster. Throws a KubestepError when it cannot write, and an ApiError when the API server refuses or stays away.
 */
export async function deliverObjects({ objects, messages }: Applied, opened: OpenedPhase, call: Call): Promise<void> {
  const { flags, output } = call
  if (!opened.dryRun) {
    await withApi(opened, call, (api, deadline) => applyToCluster(api, objects, deadline, output.say))
    for (const message of messages) output.say(message)
    return
  }
  const yaml = clusterObjectsYaml(objects)
  if (flags['output-dir'] === undefined) {
    output.result(yaml)
    return
  }
  for (const message of messages) output.say(message)
  // It holds the tokens' secrets.
  opened.write([{ path: FILE, mode: 0o600, content: yaml }])
  output.say(`[dryrun] Wrote ${objects.length} object${objects.length === 1 ? '' : 's'} to "${opened.target}${FILE}"`)
}

/** Objects into a cluster that may have lived already: what its users have changed of CoreDNS stays. */
async function applyToCluster(
  api: Api,
  objects: readonly ClusterObject[],
  deadline: AbortSignal,
  say: (line: string) => void,
): Promise<void> {
  const rows = await Promise.all(
    objects.map(async row => {
      const object = await keepingChanges(api, row.object)
      if (object === undefined) say(`[${row.phase}] Keeping ${row.resource}/${row.name}: it was changed in the cluster`)
      return object === undefined ? [] : [{ ...row, object }]
    }),
  )
  await applyObjects(api, rows.flat(), deadline)
}
