#!/usr/bin/env -S npx zx
/** Puts images into the cluster on this machine: from Docker, from docker and OCI archives. */
import { architecture } from '../lib/base/platform.ts'
import { interruptible } from '../lib/cli/interrupt.ts'
import { type Script, script } from '../lib/cli/script.ts'
import { openClusterRuntime, openNodeRuntimes } from '../lib/phases/run/cluster-runtime.ts'
import { provideSources, wantedSources } from '../lib/supply/load/image-sources.ts'
import { loadSources } from '../lib/supply/load/load-sources.ts'
import { makeWorkFolder, remove } from '../lib/supply/load/work-folder.ts'

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
  async ({ name, flags, output, positionals }) => {
    const wanted = wantedSources(positionals)
    const folder = makeWorkFolder()
    const clear = (): void => remove(folder)
    const work = async (): Promise<void> => {
      const runtimes = [await openClusterRuntime(flags.runtime), ...(await openNodeRuntimes())]
      try {
        const sources = await provideSources(wanted, folder)
        const [loaded = []] = await Promise.all(
          runtimes.map(runtime => loadSources(runtime, sources, `linux/${architecture()}`)),
        )
        for (const { name: image, id } of loaded) output.result(`${image} ${id}\n`)
      } finally {
        for (const { cri } of runtimes) cri.close()
      }
    }
    try {
      await interruptible(name, 'run it again', clear, work)
    } finally {
      clear()
    }
  },
)
