/** The comments of a document that is written anew: each stays with the field that it stood at. */
import { isObject, type Json } from '../../base/json.ts'
import { type Path, parseDocuments, stringify } from '../../base/yaml.ts'

/** The comments of one field: lines before it, and what follows it in its line. */
interface Comments {
  readonly path: Path
  readonly before: readonly string[]
  readonly after?: string
}

/** A line without its comment, quoted texts passed over; the comment begins after a blank. */
const TRAILING = /^(?:[^"'#]|"(?:[^"\\]|\\.)*"|'[^']*'|(?<=\S)#)*?\s(#.*)$/

/** `target` with the comments of `source`; both are the text of one document. A field that is no more leaves them to what held it. */
export function carryComments(source: string, target: string): string {
  const [comments, end] = commentsOf(source)
  if (comments.length === 0 && end.length === 0) return target
  const [document] = parseDocuments(target)
  const value = document?.value ?? null
  const lines = target.replace(/\n$/, '').split('\n')
  const before = new Map<number, string[]>()
  const after = new Map<number, string>()
  const last: string[] = []
  for (const { path, ...comment } of comments) {
    const found = pathIn(value, path)
    const all = [...comment.before]
    if (found.length === 0) last.push(...all, ...(comment.after === undefined ? [] : [comment.after]))
    else {
      const line = (document?.lineOf(found) ?? 1) - 1
      const isItself = found.length >= path.length && !after.has(line)
      if (comment.after !== undefined && isItself) after.set(line, comment.after)
      else if (comment.after !== undefined) all.push(comment.after)
      before.set(line, [...(before.get(line) ?? []), ...all])
    }
  }
  const written = lines.flatMap((line, index) => {
    const indent = /^ */.exec(line)?.[0] ?? ''
    const trailing = after.get(index)
    return [
      ...(before.get(index) ?? []).map(comment => `${indent}${comment}`),
      trailing === undefined ? line : `${line}  ${trailing}`,
    ]
  })
  const text = `${[...written, ...last, ...end].join('\n')}\n`
  // Comments are a kindness: where they would change what is said, the plain document stands.
  const [carried] = parseDocuments(text)
  return carried?.value !== undefined && stringify(carried.value) === stringify(value) ? text : target
}

/** The comments of a document by field, and those after its last one. */
function commentsOf(source: string): readonly [comments: readonly Comments[], end: readonly string[]] {
  const [document] = parseDocuments(source)
  if (document?.value === undefined) return [[], []]
  const { lineOf, value } = document
  // Of several fields in a line the innermost.
  const fields = new Map(pathsOf(value).map((path): [number, Path] => [lineOf(path), path]))
  const comments: Comments[] = []
  let pending: string[] = []
  source.split(/\r?\n/).forEach((line, index) => {
    const own = /^\s*(#.*)$/.exec(line)?.[1]
    const path = fields.get(index + 1)
    if (own !== undefined) pending.push(own)
    if (path === undefined) return
    const after = TRAILING.exec(line)?.[1]
    if (pending.length > 0 || after !== undefined) {
      comments.push({ path, before: pending, ...(after !== undefined && { after: after.trimEnd() }) })
    }
    pending = []
  })
  return [comments, pending]
}

function pathsOf(value: Json, outer: Path = []): Path[] {
  if (Array.isArray(value))
    return value.flatMap((item: Json, index) => [[...outer, index], ...pathsOf(item, [...outer, index])])
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([key, item]) => [[...outer, key], ...pathsOf(item ?? null, [...outer, key])])
}

/** The path as far as it leads in a value; an argument of a mapping is the item of that name in the list that it became. */
function pathIn(value: Json, path: Path): Path {
  const found: (string | number)[] = []
  let at: Json | undefined = value
  for (const key of path) {
    const named: number = Array.isArray(at) && typeof key === 'string' ? at.findIndex(item => isNamed(item, key)) : -1
    const step: string | number = named === -1 ? key : named
    const next: Json | undefined = Array.isArray(at) ? at[Number(step)] : isObject(at) ? at[String(step)] : undefined
    if (next === undefined) break
    found.push(step)
    at = next
  }
  return found
}

function isNamed(item: Json, name: string): boolean {
  return isObject(item) && item.name === name
}
