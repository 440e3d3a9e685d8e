/** Further names of images in somebody else's containerd, given and taken back: CRI has no call for either. */

import { KubestepError } from '../../base/errors.ts'
import { $, which } from '../../machine/command.ts'
import type { Cri } from '../cri/cri-client.ts'
import { NAMESPACE } from './import-archives.ts'
import type { Runtime } from './runtime.ts'

/** A further name, and the image that gets it. */
export interface ImageNaming {
  readonly socket: string
  readonly name: string
  readonly of: string
}

/** Whether a runtime has an image of that name. Throws a CriError. */
export async function hasImage(cri: Cri, image: string): Promise<boolean> {
  return (await cri.call('ImageStatus', { image: { image } })).image !== undefined
}

/** Gives the name, unless an image bears it by now. Throws a KubestepError. */
export async function giveImageName(
  { name: runtime, cri }: Pick<Runtime, 'name' | 'cri'>,
  naming: ImageNaming,
): Promise<void> {
  const { socket, name, of } = naming
  if (await hasImage(cri, name)) return
  if (runtime !== 'containerd') {
    throw new KubestepError(
      `images: cannot name "${of}" "${name}" in ${runtime}: it has no call for that; do it by its own tools (podman tag ${of} ${name}), or use --runtime private`,
    )
  }
  await $({ what: `images: cannot name "${of}" "${name}"` })`${ctrImages(socket)} tag --force ${of} ${name}`
}

/** Takes a name back, unless another image bears it by now. Throws a KubestepError. */
export async function forgetImageName(socket: string, name: string, of: string): Promise<void> {
  const listed = await $({ nothrow: true })`${ctrImages(socket)} list name==${name} name==${of}`
  if (listed.exitCode !== 0) {
    if (which('containerd') === undefined) return
    throw new KubestepError(`images: cannot list images of "${socket}": it does not answer; start that runtime`)
  }
  const digests = imageDigests(listed.stdout)
  const isAnother = digests.get(of) !== undefined && digests.get(of) !== digests.get(name)
  if (digests.has(name) && !isAnother) {
    await $({ what: `images: cannot take the name "${name}" back` })`${ctrImages(socket)} rm ${name}`
  }
}

/** Digests by name in the output of `ctr images list`. */
export function imageDigests(text: string): ReadonlyMap<string, string> {
  const rows = text.split('\n').map(line => line.trim().split(/\s+/))
  return new Map(
    rows.flatMap(([name = '', , digest = '']): [string, string][] => (digest.includes(':') ? [[name, digest]] : [])),
  )
}

/** The words of `ctr images` for a containerd. */
export function ctrImages(socket: string): string[] {
  const address = socket.replace(/^unix:\/\//, '')
  return [which('ctr') ?? 'ctr', '--address', address, '--namespace', NAMESPACE, 'images']
}
