#!/usr/bin/env -S npx zx
/** Collects the logs of the cluster on this machine, or of what is left of it, into one archive. */
import { brokenText } from '../lib/diagnose/broken.ts'
import { writeLogBundle } from '../lib/diagnose/bundle.ts'
import { type Script, script } from '../lib/script.ts'

export const logs: Script = script(
  import.meta,
  {
    name: 'logs',
    about: 'Write logs, Pods, events, manifests and facts of the machine into one archive, without secrets.',
    options: ['kubeconfig', 'output-dir'],
    examples: ['logs.mts', 'logs.mts --output-dir .'],
  },
  async ({ flags, output }) => {
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
