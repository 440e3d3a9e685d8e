#!/usr/bin/env -S npx zx
import { LAYOUT } from '../lib/base/paths.ts'
import { type Script, script } from '../lib/cli/script.ts'
/** Collects the logs of the cluster on this machine, or of what is left of it, into one archive. */
import { brokenText } from '../lib/cluster/diagnose/broken-link.ts'
import { writeLogBundle } from '../lib/cluster/diagnose/log-bundle.ts'
import { openJournal } from '../lib/machine/journal.ts'
import { othersChanges, ownerOf } from '../lib/phases/reset/cluster-owner.ts'

export const logs: Script = script(
  import.meta,
  {
    name: 'logs',
    about: 'Write logs, Pods, events, manifests and facts of the machine into one archive, without secrets.',
    options: ['kubeconfig', 'output-dir', 'owner'],
    examples: ['logs.mts', 'logs.mts --output-dir .'],
  },
  async call => {
    const { flags, output } = call
    const owner = ownerOf(call)
    const changes = openJournal(LAYOUT.journal).changes()
    if (owner !== undefined && othersChanges(changes, owner) === changes.length) {
      return output.warn(`[logs] Nothing to do: no cluster of ${owner} on this machine`)
    }
    const folder = flags['output-dir']
    const { kubeconfig } = flags
    const { path, broken } = await writeLogBundle({
      ...(folder !== undefined && { folder }),
      ...(kubeconfig !== undefined && { kubeconfig }),
    })
    // On stderr: the path stands alone on stdout.
    if (broken !== undefined) output.warn(`[logs] ${brokenText(broken)}`)
    output.result(`${path}\n`)
  },
)
