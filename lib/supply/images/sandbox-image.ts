/** The image that a runtime makes Pod sandboxes from; the kubelet has no say in it. */

import { isObject, type Json, type JsonObject } from '../../base/json.ts'
import { $ } from '../../machine/command.ts'
import { readFile } from '../../machine/files.ts'
import type { Runtime } from '../runtime/runtime.ts'

/** Where runtimes have it, when they do not tell over CRI (containerd from 2.0 on, CRI-O). */
const CONFIGURATIONS: readonly {
  readonly runtime: string
  readonly file: string
  readonly keys: readonly string[][]
}[] = [
  {
    runtime: 'containerd',
    file: '/etc/containerd/config.toml',
    keys: [
      ['plugins', 'io.containerd.cri.v1.images', 'pinned_images', 'sandbox'],
      ['plugins', 'io.containerd.grpc.v1.cri', 'sandbox_image'],
    ],
  },
  { runtime: 'cri-o', file: '/etc/crio/crio.conf', keys: [['crio', 'image', 'pause_image']] },
]

/**
 * undefined when nobody says. `read` gives the content of a file of the host, if there is one; `dump` what containerd makes
 * of its files and its own defaults.
 */
export async function sandboxImage(
  { name, pauseImage }: Pick<Runtime, 'name' | 'pauseImage'>,
  read: (path: string) => string | undefined = path => readFile('/', path),
  dump: () => Promise<string> = dumpContainerd,
): Promise<string | undefined> {
  if (pauseImage !== undefined && pauseImage !== '') return pauseImage
  for (const { runtime, file, keys } of CONFIGURATIONS) {
    if (name !== runtime) continue
    const texts = [async () => readable(() => read(file)), ...(name === 'containerd' ? [dump] : [])]
    for (const text of texts) {
      const config = await parsed((await text()) ?? '')
      const found = keys.map(path => valueAt(config, path)).find(value => typeof value === 'string' && value !== '')
      if (typeof found === 'string') return found
    }
  }
  return undefined
}

async function dumpContainerd(): Promise<string> {
  const { exitCode, stdout } = await $({ nothrow: true })`containerd config dump`
  return exitCode === 0 ? stdout : ''
}

// A file that may not be read, or is none, is the runtime's affair: then nobody says.
function readable(read: () => string | undefined): string | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

async function parsed(text: string): Promise<JsonObject> {
  const { parse } = await import('smol-toml')
  try {
    return parse(text) as JsonObject
  } catch {
    return {}
  }
}

function valueAt(config: JsonObject, path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((value, key) => (isObject(value) ? value[key] : undefined), config)
}
