/** Files of a node, rendered anew with what somebody has changed in them. */

import { goQuote } from '../../base/go/quote.ts'
import { isObject, type JsonObject } from '../../base/json.ts'
import { parse, stringify } from '../../base/yaml.ts'
import { type Edit, keepEdits } from './kept-edits.ts'

/** A file's texts; absent where there is none. */
export interface FileTexts {
  readonly path: string
  /** As the present version's was rendered. */
  readonly base?: string
  /** As it is. */
  readonly theirs?: string
  /** As the new version's is rendered. */
  readonly ours: string
}

export interface MergedFile {
  readonly path: string
  readonly content: string
  readonly edits: readonly Edit[]
}

const VARIABLE = /^(KUBELET_KUBEADM_ARGS)=(.*)$/m

/** The new text; that of nobody's file is `ours`, byte for byte. */
export function mergedFile({ path, base, theirs, ours }: FileTexts): MergedFile {
  if (theirs === undefined || theirs === base || theirs === ours) return { path, content: ours, edits: [] }
  const [read, write] = path.endsWith('.env') ? [readFlags, writeFlags] : [readYaml, stringify]
  const { value, edits } = keepEdits(base === undefined ? {} : read(base), read(theirs), read(ours))
  return { path, content: edits.some(({ kept }) => kept) ? write(value) : ours, edits }
}

function readYaml(text: string): JsonObject {
  const value = parse(text)
  return isObject(value) ? value : {}
}

function readFlags(text: string): JsonObject {
  const [, , quoted = ''] = VARIABLE.exec(text) ?? []
  return {
    flags: unquoted(quoted)
      .split(/\s+/)
      .filter(word => word !== ''),
  }
}

// Go quotes it as JSON does, for all that a flag may hold; people may have quoted it otherwise.
function unquoted(text: string): string {
  try {
    return String(JSON.parse(text))
  } catch {
    return text.replace(/^(["'])(.*)\1$/, '$2')
  }
}

function writeFlags({ flags }: JsonObject): string {
  return `KUBELET_KUBEADM_ARGS=${goQuote((flags as readonly string[]).join(' '))}\n`
}
