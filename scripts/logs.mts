#!/usr/bin/env -S npx zx
/** Collects the logs of the cluster on this machine, or of what is left of it, into one archive. */
import { brokenText } from '../lib/diagnose/broken.ts'
import { writeLogBundle } from '../lib/diagnose/bundle.ts'
import { openJournal } from '../lib/journal.ts'
import { LAYOUT } from '../lib/layout.ts'
import { othersChanges, ownerOf } from '../lib/reset/owner.ts'
import { type Script, script } from '../lib/script.ts'

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
