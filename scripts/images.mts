#!/usr/bin/env -S npx zx
/** Lists the container images that an init needs. */
import { loadInitConfig } from '../lib/config/load.ts'
import { UsageError } from '../lib/errors.ts'
import { readHostFacts } from '../lib/host/read.ts'
import { type ImageConfig, imageList, imagesObject } from '../lib/images/images.ts'
import type { OptionName } from '../lib/options.ts'
import { openOutput } from '../lib/output.ts'
import { readConfigFile } from '../lib/phase.ts'
import { type Script, script } from '../lib/script.ts'
import { stringify } from '../lib/yaml.ts'

const OPTIONS: readonly OptionName[] = [
  'config',
  'kubernetes-version',
  'kubeadm-version',
  'image-repository',
  'feature-gates',
]

/** The list as text, and in the shapes of kubeadm's output API. */
const FORMATS: Readonly<Record<string, (config: ImageConfig) => string>> = {
  text: config => imageList(config).join('\n').concat('\n'),
  json: config => `${JSON.stringify(imagesObject(config), undefined, 4)}\n`,
  yaml: config => stringify(imagesObject(config)),
}

// Neither has a say in images: a machine without either can list them all the same.
const ANYWHERE = { hostname: 'node', defaultAddress: { ipv4: '192.0.2.1', ipv6: '2001:db8::1' } }

export const images: Script = script(
  import.meta,
  {
    name: 'images',
    about: 'List the container images of a cluster; needs neither network nor root.',
    options: OPTIONS,
    subcommands: [
      { name: 'list', about: 'Print the images, one a line, or with -o json|yaml as an object', options: OPTIONS },
    ],
    outputs: ['yaml'],
    examples: [
      'images.mts list',
      'images.mts list --kubernetes-version v1.18.3 --image-repository registry.aliyuncs.com/google_containers',
      'images.mts list --config kubeadm.yaml -o json',
    ],
  },
  async ({ flags }) => {
    const format = FORMATS[flags.output ?? 'text']
    if (format === undefined) {
      throw new UsageError(`images: cannot write output ${JSON.stringify(flags.output)}: use text, json or yaml`)
    }
    const source = flags.config === undefined ? {} : readConfigFile(flags.config)
    const facts = { ...readHostFacts('/'), ...ANYWHERE }
    const { config, notices } = loadInitConfig({ ...source, flags, detectCriSocket: false }, facts)
    // The result is an object in itself, not an event.
    const output = openOutput({})
    for (const notice of notices) output.warn(notice)
    output.result(format(config))
  },
)
