/** Reads the files of a `--patches` folder. */
import { KubestepError } from '../../base/errors.ts'
import { isObject, type Json } from '../../base/json.ts'
import { type Version, valueSince } from '../../base/version.ts'
import { parseDocuments } from '../../base/yaml.ts'
import { jsonPatchFaults } from './json-patch.ts'
import { PATCH_TARGETS, type PatchTarget, type PatchType, parseFileName } from './target.ts'

export interface PatchFile {
  /** The name of the file, or its path below the folder. */
  readonly name: string
  readonly content: string
}

/** One patch: one document of one file. */
export interface Patch {
  readonly target: PatchTarget
  readonly type: PatchType
  readonly file: string
  /** Which document of the file, from 1. */
  readonly document: number
  readonly value: Json
}

export interface ParsedPatches {
  /** In the order of application: by file name, then as they stand in the file. */
  readonly patches: readonly Patch[]
  /** What kubeadm says while it reads. */
  readonly messages: readonly string[]
}

/**
 * Reads patch files as kubeadm of the release `kubeadm` (default: the newest) does: what is named like no patch is ignored
 * with a message, and so are empty files and documents. `directory` only names the folder in the first message.
 * Throws a KubestepError with every fault of every file: names, syntax, shape of the patches.
 * Source: kubeadm util/patches/patches.go (v1.36).
 */
export function parsePatches(
  files: readonly PatchFile[],
  { directory, kubeadm }: { readonly directory?: string; readonly kubeadm?: Version } = {},
): ParsedPatches {
  const targets =
    (kubeadm === undefined ? Object.values(PATCH_TARGETS).at(-1) : valueSince(PATCH_TARGETS, kubeadm)) ?? []
  const patches: Patch[] = []
  const found: string[] = []
  const ignored: string[] = []
  const faults: string[] = []
  const messages = directory === undefined ? [] : [`[patches] Reading patches from path "${directory}"`]

  for (const { name: path, content } of files.toSorted(byPath)) {
    const name = path.slice(path.lastIndexOf('/') + 1)
    const meaning = parseFileName(name, targets)
    if ('wrong' in meaning) {
      faults.push(`patches: cannot read "${path}": ${meaning.wrong}; rename the file`)
    } else if ('ignored' in meaning) {
      messages.push(`[patches] Ignoring file "${name}": ${meaning.ignored}`)
      ignored.push(name)
    } else if (content === '') {
      messages.push(`[patches] Ignoring empty file: "${name}"`)
      ignored.push(name)
    } else {
      found.push(name)
      for (const result of documentsOf(path, content, meaning.type)) {
        if (typeof result === 'string') {
          faults.push(result)
        } else {
          patches.push({ ...meaning, file: path, ...result })
        }
      }
    }
  }
  if (faults.length > 0) throw new KubestepError(faults.join('\n'))
  if (found.length > 0) messages.push(`[patches] Found the following patch files: [${found.join(' ')}]`)
  if (ignored.length > 0) messages.push(`[patches] Ignored the following files: [${ignored.join(' ')}]`)
  return { patches, messages }
}

/** As Go walks a folder: names compared folder by folder. */
function byPath(a: PatchFile, b: PatchFile): number {
  const [left, right] = [a.name.split('/'), b.name.split('/')]
  const at = left.findIndex((part, index) => part !== right[index])
  const [one = '', other = ''] = [left[at], right[at]]
  return one < other ? -1 : one > other ? 1 : 0
}

/** The documents of a file that hold a patch; a text for each fault. */
function documentsOf(file: string, content: string, type: PatchType): (Pick<Patch, 'document' | 'value'> | string)[] {
  return parseDocuments(content, file).flatMap(
    ({ value, line, faults }, index): (Pick<Patch, 'document' | 'value'> | string)[] => {
      const reasons = faults.map(fault => ({
        line: fault.line ?? line,
        reason: fault.field === '' ? fault.reason : `"${fault.field}": ${fault.reason}`,
      }))
      const shape = value === undefined || value === null ? [] : shapeFaults(value, type)
      const all = [...reasons, ...shape.map(reason => ({ line, reason }))]
      if (all.length > 0) {
        return all.map(({ line, reason }) => `patches: cannot read "${file}", line ${line}: ${reason}`)
      }
      return value === undefined || value === null ? [] : [{ document: index + 1, value }]
    },
  )
}

function shapeFaults(value: Json, type: PatchType): string[] {
  if (type === 'json') return jsonPatchFaults(value)
  return isObject(value)
    ? []
    : [`a patch of type ${type} has to be a mapping; name the file +json if it is a list of operations`]
}
