/** The user's patches, read once and applied to whatever they are for. */
import { KubestepError } from '../../base/errors.ts'
import type { JsonObject } from '../../base/json.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import type { Output } from '../../cli/output.ts'
import { applyPatches } from '../../kubeadm/patches/apply-patches.ts'
import { parsePatches } from '../../kubeadm/patches/parse-patches.ts'
import type { PatchTarget } from '../../kubeadm/patches/target.ts'
import { listFiles, readFile } from '../../machine/files.ts'

export type ApplyPatches = (target: string, object: JsonObject) => JsonObject

/** For phases without anything that could be patched. */
export const unpatched: ApplyPatches = (_target, object) => object

/**
 * Reads the folder that --patches or the configuration names; gives what applies its patches to an object, saying
 * so. Throws a KubestepError with every fault of every file.
 */
export function loadPatches({ config }: { readonly config: InitConfig }, output: Output): ApplyPatches {
  const directory = config.init.patches?.directory
  if (directory === undefined || directory === '') return unpatched
  // A path of the user's, not one of the cluster's: --root does not move it.
  const names = listFiles(directory)
  if (names === undefined)
    throw new KubestepError(
      `patches: cannot read "${directory}": it does not exist; correct --patches or patches.directory`,
    )
  const files = names.map(name => ({ name, content: readFile('/', `${directory}/${name}`) ?? '' }))
  const { patches, messages } = parsePatches(files, { directory, kubeadm: config.kubeadm })
  for (const message of messages) output.say(message)
  return (target, object) => {
    const patched = applyPatches(patches, target as PatchTarget, object)
    for (const message of patched.messages) output.say(message)
    return patched.object
  }
}
