#!/usr/bin/env -S npx zx
/** Writes a folder with everything that a cluster needs, for `--artifacts` on a machine without a network. */
import { resolve } from 'node:path'
import { timerMilliseconds } from '../lib/base/duration.ts'
import { UsageError } from '../lib/base/errors.ts'
import { chosenArchitecture } from '../lib/base/platform.ts'
import { commandOf } from '../lib/cli/invocation.ts'
import { type Script, script } from '../lib/cli/script.ts'
import { loadInitConfig } from '../lib/kubeadm/config/load-config.ts'
import { imageList } from '../lib/kubeadm/images/image-list.ts'
import { readFactsAnywhere } from '../lib/machine/host/read-facts.ts'
import { readConfig } from '../lib/phases/run/open-phase.ts'
import { prepareComponents } from '../lib/supply/components/fetch-components.ts'
import { FETCH_OPTIONS, fetchingOf } from '../lib/supply/components/fetch-options.ts'
import { namedVersions } from '../lib/supply/components/look-up-versions.ts'
import { reporterOf } from '../lib/supply/components/reporter.ts'
import { writeBundle } from '../lib/supply/components/write-artifacts.ts'

/** For the whole of it, when --timeout does not say. */
const TIMEOUT = '30m'

export const bundle: Script = script(
  import.meta,
  {
    name: 'bundle',
    about:
      'Write a folder with kubelet, kubectl, CNI plugins and images, for --artifacts on a machine without a network.',
    options: ['config', 'kubernetes-version', 'image-repository', 'arch', 'output-dir', ...FETCH_OPTIONS, 'timeout'],
    examples: [
      'bundle.mts --kubernetes-version v1.36.2 --output-dir ./v1.36.2',
      'bundle.mts --kubernetes-version 1.35 --arch arm64 --output-dir ./v1.35',
      'bundle.mts --mirror https://mirror.example.org,registry.k8s.io=https://images.example.org --output-dir ./k8s',
    ],
  },
  async call => {
    const { flags, output } = call
    const folder = flags['output-dir']
    if (folder === undefined || folder === '') {
      throw new UsageError('bundle: cannot write: no folder is named; add --output-dir DIR')
    }
    const arch = chosenArchitecture(flags.arch)
    const reporter = reporterOf(call)
    const time = new AbortController()
    const timer = setTimeout(() => time.abort(), timerMilliseconds(flags.timeout ?? TIMEOUT))
    const fetching = fetchingOf(flags, time.signal, reporter.onProgress)
    try {
      const source = readConfig(flags)
      const versions = await namedVersions({ ...source, flags }, output)
      const { config, notices } = loadInitConfig(
        { ...source, versions, flags, detectCriSocket: false },
        // The machine that the folder is for is another one.
        readFactsAnywhere(),
      )
      for (const notice of notices) output.warn(notice)
      const { kubernetesVersion } = config.cluster
      const wish = { version: kubernetesVersion, arch }
      const components = await prepareComponents({ ...wish, ...fetching, images: imageList(config) })
      const files = await writeBundle(resolve(folder), components)
      reporter.end()
      output.say(`[bundle] Wrote ${files} files for Kubernetes ${kubernetesVersion} on linux/${arch} to ${folder}`)
      output.say(`[bundle] There: ${commandOf('init')} --kubernetes-version ${kubernetesVersion} --artifacts ${folder}`)
    } finally {
      clearTimeout(timer)
      reporter.end()
    }
  },
)
