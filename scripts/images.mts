#!/usr/bin/env -S npx zx
/** Lists the container images that an init needs, and pulls them. */
import { resolve } from 'node:path'
import { timerMilliseconds } from '../lib/base/duration.ts'
import { UsageError } from '../lib/base/errors.ts'
import type { InitConfig } from '../lib/base/kubeadm.ts'
import { stringify } from '../lib/base/yaml.ts'
import { openOutput } from '../lib/cli/output.ts'
import { type Call, type Script, script } from '../lib/cli/script.ts'
import { loadInitConfig } from '../lib/kubeadm/config/load-config.ts'
import { type ImageConfig, imageList, imageOf, imagesObject, pullOrder } from '../lib/kubeadm/images/image-list.ts'
import { readFactsAnywhere, readHostFacts } from '../lib/machine/host/read-facts.ts'
import { readConfig } from '../lib/phases/run/open-phase.ts'
import { fetchingOf } from '../lib/supply/components/fetch-options.ts'
import { namedVersions } from '../lib/supply/components/look-up-versions.ts'
import { INERT_OPTIONS, LIST_OPTIONS, PULL_OPTIONS } from '../lib/supply/images/image-options.ts'
import type { PulledImage } from '../lib/supply/images/pull-images.ts'
import type { FoundRuntime } from '../lib/supply/images/pull-target.ts'

/** The list as text, and in the shapes of kubeadm's output API. */
const FORMATS: Readonly<Record<string, (config: ImageConfig) => string>> = {
  text: config => imageList(config).join('\n').concat('\n'),
  json: config => `${JSON.stringify(imagesObject(config), undefined, 4)}\n`,
  yaml: config => stringify(imagesObject(config)),
}

/** For all images, when --timeout does not say. */
const TIMEOUT = '30m'

export const images: Script = script(
  import.meta,
  {
    name: 'images',
    about:
      'List the container images of a cluster, or pull them; listing a complete version needs neither network nor root.',
    options: LIST_OPTIONS,
    subcommands: [
      {
        name: 'list',
        about: 'Print the images, one a line, or with -o json|yaml as an object',
        options: [...LIST_OPTIONS, ...INERT_OPTIONS],
      },
      {
        name: 'pull',
        about: 'Pull what is missing into the container runtime; without one, or with --output-dir, as archives',
        options: [...PULL_OPTIONS, 'kubeconfig'],
      },
    ],
    outputs: ['yaml'],
    examples: [
      'images.mts list',
      'images.mts list --kubernetes-version v1.18.3 --image-repository registry.aliyuncs.com/google_containers',
      'images.mts list --config kubeadm.yaml -o json',
      'images.mts pull --kubernetes-version 1.36 --mirror registry.k8s.io=https://mirror.example.org',
      'images.mts pull --output-dir ./v1.36.2',
    ],
  },
  call => (call.subcommand === 'pull' ? pullAll(call, 'images') : list(call)),
)

/** Prints the list. Throws a UsageError for a format that is not known. */
export async function list(call: Call): Promise<void> {
  const { flags } = call
  const format = FORMATS[flags.output ?? 'text']
  if (format === undefined) {
    throw new UsageError(`images: cannot write output ${JSON.stringify(flags.output)}: use text, json or yaml`)
  }
  // The result is an object in itself, not an event.
  const output = openOutput({})
  output.result(format(await configOf({ ...call, output }, true)))
}

/** What is told of an image. */
type Told = Omit<PulledImage, 'state'> & { readonly state: string }

/** Pulls all images; `label` stands before each line. Throws a KubestepError that tells of all that could not be had. */
export async function pullAll(call: Call, label: string): Promise<void> {
  const { flags, output } = call
  if (flags.output === 'yaml') throw new UsageError('images: cannot write output "yaml": use text or json')
  const { reporterOf } = await import('../lib/supply/components/reporter.ts')
  const { chosenArchitecture } = await import('../lib/base/platform.ts')
  const arch = chosenArchitecture(flags.arch)
  const reporter = reporterOf(call)
  const time = new AbortController()
  const timer = setTimeout(() => time.abort(), timerMilliseconds(flags.timeout ?? TIMEOUT))
  const fetching = fetchingOf(flags, time.signal, reporter.onProgress)
  const tell = (what: string, { image, state, digest, id }: Told): void => {
    reporter.end()
    output.event('image', { image, state, ...(digest !== undefined && { digest }), ...(id !== undefined && { id }) })
    const which = digest ?? (id === undefined ? '' : `(id ${id})`)
    if (flags.output !== 'json') output.say(`[${label}] ${what} ${image} ${which}`.trimEnd())
  }
  try {
    const config = await configOf(call)
    const wanted = pullOrder(imageList(config))
    const { runtime, passed } = await runtimeFor(call, config)
    for (const reason of passed) output.detail(reason)
    if (runtime === undefined) {
      const { prepareImages } = await import('../lib/supply/components/fetch-components.ts')
      const archives = await prepareImages(wanted, arch, fetching)
      const paths = await keptArchives(
        archives.map(({ path }) => path),
        flags['output-dir'],
      )
      for (const { name, cached, digest } of archives) {
        tell('Have', { image: name, state: cached ? 'cached' : 'fetched', ...(digest !== undefined && { digest }) })
      }
      const place = flags['output-dir'] ?? fetching.cacheDir
      output.say(`[${label}] Wrote ${paths.length} archives for linux/${arch} below ${place}`)
      return
    }
    try {
      const { pullImages } = await import('../lib/supply/images/pull-images.ts')
      const { sandboxImage } = await import('../lib/supply/images/sandbox-image.ts')
      const sandbox = await sandboxImage(runtime)
      const more = sandbox === undefined || wanted.includes(sandbox) ? [] : [sandbox]
      for (const image of more) {
        output.say(
          `[${label}] The runtime makes Pod sandboxes from ${image}, not from ${imageOf('pause', config)}: pulling it, too`,
        )
      }
      await pullImages([...more, ...wanted], runtime, {
        ...fetching,
        arch,
        onPulled: pulled => tell(pulled.state === 'present' ? 'Already there:' : 'Pulled', pulled),
      })
    } finally {
      runtime.cri.close()
    }
  } finally {
    clearTimeout(timer)
    reporter.end()
  }
}

async function configOf({ flags, output }: Pick<Call, 'flags' | 'output'>, guess = false): Promise<InitConfig> {
  const source = readConfig(flags)
  const versions = await namedVersions({ ...source, flags }, output, { guess })
  // They decide about a pull, not about images.
  const { 'cri-socket': _, ...deciding } = flags
  const { config, notices } = loadInitConfig(
    { ...source, versions, flags: deciding, detectCriSocket: false },
    readFactsAnywhere(),
  )
  for (const notice of notices) output.warn(notice)
  return config
}

async function runtimeFor({ flags, output }: Call, config: InitConfig): Promise<FoundRuntime> {
  const { findRuntime } = await import('../lib/supply/images/pull-target.ts')
  if (flags['output-dir'] !== undefined) {
    if (flags['cri-socket'] === undefined) return { passed: [] }
    throw new UsageError('images: cannot use --output-dir with --cri-socket: images go to one of them; leave one out')
  }
  const named = flags.config === undefined ? [] : [config.init.nodeRegistration.criSocket]
  const found = await findRuntime(flags['cri-socket'], [...named, ...readHostFacts('/').criSockets])
  if (found.runtime === undefined) {
    output.say('[images] No container runtime serves CRI here: keeping archives, which an init takes from the cache')
  }
  return found
}

async function keptArchives(paths: readonly string[], folder: string | undefined): Promise<readonly string[]> {
  if (folder === undefined) return paths
  const { copyArchives } = await import('../lib/supply/components/write-artifacts.ts')
  return copyArchives(resolve(folder), paths)
}
