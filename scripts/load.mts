#!/usr/bin/env -S npx zx
/** Puts images into the cluster on this machine: from Docker, from docker and OCI archives. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { architecture } from '../lib/components/platform.ts'
import { openClusterRuntime } from '../lib/load/cluster-runtime.ts'
import { loadSources } from '../lib/load/load.ts'
import { provideSources, wantedSources } from '../lib/load/sources.ts'
import { type Script, script } from '../lib/script.ts'

export const load: Script = script(
  import.meta,
  {
    name: 'load',
    about:
      'Load images into the cluster on this machine: names of images in Docker, or archives (- for standard input).',
    options: ['runtime'],
    positionals: 'IMAGE|ARCHIVE...',
    examples: ['load.mts my-app:1.0', 'load.mts app.tar db.tar.gz', 'load.mts - < app.tar'],
  },
  async ({ flags, output, positionals }) => {
    const wanted = wantedSources(positionals)
    const folder = mkdtempSync(join(tmpdir(), 'kubestep-load-'))
    try {
      const runtime = await openClusterRuntime(flags.runtime)
      try {
        const sources = await provideSources(wanted, folder)
        for (const { name, id } of await loadSources(runtime, sources, `linux/${architecture()}`)) {
          output.result(`${name} ${id}\n`)
        }
      } finally {
        runtime.cri.close()
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
)
