/**
 * Strategic merge patches: like JSON merge patches, but some lists are merged by a member of their items, and directives
 * (`$patch`, `$retainKeys`, `$setElementOrder/<field>`, `$deleteFromPrimitiveList/<field>`) say more. npm has none.
 * Source: apimachinery util/strategicpatch/patch.go (v1.36).
 */
import { isObject, type Json, type JsonObject } from '../../base/json.ts'
import { type Items, inOrder, orderAfterMerge, refuseOtherOrder } from './element-order.ts'
import { fieldsOf, itemType, mergeKeyOf, type TypeName } from './field-types.ts'
import { withoutNulls } from './json-merge.ts'

const DIRECTIVE = '$patch'
const RETAIN_KEYS = '$retainKeys'
const ELEMENT_ORDER = '$setElementOrder'
const PRIMITIVE_DELETION = '$deleteFromPrimitiveList'

/** `object`, which is of the type `type`, with the patch merged in. Throws an Error that says why it cannot be. */
export function applyStrategicMerge(object: JsonObject, patch: JsonObject, type: TypeName): JsonObject {
  if (DIRECTIVE in patch) return replaced(patch)
  const members = new Map(Object.entries(retained(object, patch)))
  const rest = new Map(Object.entries(patch).filter(([key]) => key !== RETAIN_KEYS))
  for (const [key, order] of Object.entries(patch).filter(([key]) => key.startsWith(ELEMENT_ORDER))) {
    const field = fieldOf(key, ELEMENT_ORDER)
    const list = orderedList(members.get(field), rest.get(field), listOf(order ?? null, key), type, field)
    rest.delete(key)
    if (list !== undefined) {
      members.set(field, list)
      rest.delete(field)
    }
  }
  for (const [key, value] of rest) mergeMember(members, key, value ?? null, type)
  return Object.fromEntries(members)
}

function replaced(patch: JsonObject): JsonObject {
  const { [DIRECTIVE]: directive, ...rest } = patch
  if (directive === 'replace') return rest
  if (directive === 'delete') return {}
  throw new Error(`"${DIRECTIVE}" in a mapping has to be "replace" or "delete"`)
}

/** The members that `$retainKeys` leaves. */
function retained(object: JsonObject, patch: JsonObject): JsonObject {
  if (!(RETAIN_KEYS in patch)) return object
  const keys = listOf(patch[RETAIN_KEYS] ?? null, RETAIN_KEYS)
  const isDirective = (key: string): boolean => key.startsWith(ELEMENT_ORDER) || key.startsWith(PRIMITIVE_DELETION)
  const missing = Object.keys(patch).find(
    key => key !== RETAIN_KEYS && patch[key] !== null && !isDirective(key) && !keys.includes(key),
  )
  if (missing !== undefined) throw new Error(`the patch sets "${missing}", which its "${RETAIN_KEYS}" does not list`)
  return Object.fromEntries(Object.entries(object).filter(([key]) => keys.includes(key)))
}

function mergeMember(members: Map<string, Json | undefined>, key: string, value: Json, type: TypeName): void {
  const isDeletion = key.startsWith(PRIMITIVE_DELETION)
  const field = isDeletion ? fieldOf(key, PRIMITIVE_DELETION) : key
  const current = members.get(field)
  if (value === null) {
    members.delete(field)
  } else if (current === undefined || kindOf(current) !== kindOf(value)) {
    if (!isDeletion) setOrDelete(members, field, withoutDirectives(withoutNulls(value)))
  } else if (isObject(current) && isObject(value)) {
    members.set(field, applyStrategicMerge(current, value, typeOf(type, field)))
  } else if (Array.isArray(current) && Array.isArray(value)) {
    const items = itemType(typeOf(type, field))
    const mergeKey = mergeKeyOf(type, field)
    members.set(
      field,
      mergeKey !== undefined || isDeletion ? mergeLists(current, value, items, mergeKey, isDeletion) : value,
    )
  } else {
    members.set(field, value)
  }
}

function orderedList(
  current: Json | undefined,
  patch: Json | undefined,
  order: Items,
  type: TypeName,
  field: string,
): Items | undefined {
  if (current === undefined && patch === undefined) return undefined
  const key = mergeKeyOf(type, field)
  const items = itemType(typeOf(type, field))
  const original = current === undefined ? [] : listOf(current, field)
  const changes = patch === undefined ? [] : listOf(patch, field)
  kindOfItems([...original, ...changes])
  refuseOtherOrder(changes, order, key ?? '')
  if (current === undefined) return inOrder((withoutDirectives(changes) ?? []) as Items, order, original, key ?? '')
  if (patch === undefined) return inOrder(original, order, original, key ?? '')
  const merged = key === undefined ? changes : mergeLists(original, changes, items, key, false)
  return inOrder(merged, order, orderAfterMerge(original, changes, key ?? ''), key ?? '')
}

function mergeLists(
  original: Items,
  patch: Items,
  type: TypeName,
  key: string | undefined,
  isDeletion: boolean,
): Items {
  if (original.length === 0 && patch.length === 0) return original
  if (kindOfItems([...original, ...patch]) !== 'mapping') {
    return isDeletion
      ? original.filter(item => !patch.includes(item))
      : inOrder([...new Set([...original, ...patch])], patch, original, '')
  }
  if (key === undefined || key === '') {
    throw new Error('a list of mappings cannot be merged here, as nothing tells its items apart')
  }
  const additions = patch.filter(item => !(DIRECTIVE in (item as JsonObject)))
  const [base, changes] = patch.some(item => (item as JsonObject)[DIRECTIVE] === 'replace')
    ? [additions, []]
    : [withoutDeleted(original, patch, key), additions]
  for (const item of patch) refuseUnknownDirective(item as JsonObject, key)
  return inOrder(mergeItems(base, changes, type, key), changes, base, key)
}

function withoutDeleted(original: Items, patch: Items, key: string): Items {
  const deleted = patch.map(item => item as JsonObject).filter(item => item[DIRECTIVE] === 'delete')
  return original.filter(item => !deleted.some(one => one[key] === (item as JsonObject)[key]))
}

function refuseUnknownDirective(item: JsonObject, key: string): void {
  if (!['replace', 'delete', undefined].includes(item[DIRECTIVE] as string | undefined)) {
    throw new Error(`"${DIRECTIVE}" in an item of a list has to be "replace" or "delete"`)
  }
  if (item[DIRECTIVE] !== 'replace' && item[key] === undefined) {
    throw new Error(`an item of the list lacks "${key}", by which its items are told apart`)
  }
}

function mergeItems(base: Items, changes: Items, type: TypeName, key: string): Items {
  const items = [...base]
  for (const change of changes as readonly JsonObject[]) {
    const at = items.findIndex(item => (item as JsonObject)[key] === change[key])
    if (at === -1) {
      items.push(change)
    } else {
      items[at] = applyStrategicMerge(items[at] as JsonObject, change, type)
    }
  }
  return items
}

/** A value without what a directive marks; undefined when it is marked itself. */
function withoutDirectives(value: Json): Json | undefined {
  if (Array.isArray(value)) return value.map((item: Json) => withoutDirectives(item)).filter(item => item !== undefined)
  if (!isObject(value)) return value
  return DIRECTIVE in value
    ? undefined
    : Object.fromEntries(
        Object.entries(value)
          .map(([key, member]) => [key, withoutDirectives(member ?? null)] as const)
          .filter(([, member]) => member !== undefined),
      )
}

function setOrDelete(members: Map<string, Json | undefined>, key: string, value: Json | undefined): void {
  if (value === undefined) {
    members.delete(key)
  } else {
    members.set(key, value)
  }
}

/** The type of a field that is there on both sides; undefined where no table tells. */
function typeOf(struct: TypeName, field: string): TypeName {
  if (struct === undefined || struct === 'json' || struct === 'status') return undefined
  const fields = fieldsOf(struct)
  const isAlike = ({ name }: { name: string }): boolean => name.toLowerCase() === field.toLowerCase()
  const found = fields?.find(({ name }) => name === field) ?? fields?.find(isAlike)
  if (found === undefined) throw new Error(`${struct.replace(/^\*/, '')} has no field "${field}" that could be merged`)
  return found.type
}

function fieldOf(key: string, prefix: string): string {
  if (!key.startsWith(`${prefix}/`)) throw new Error(`"${key}" has to be "${prefix}/<field>"`)
  return key.slice(prefix.length + 1)
}

function listOf(value: Json, name: string): Items {
  if (!Array.isArray(value)) throw new Error(`"${name}" has to be a list`)
  return value
}

function kindOf(value: Json): string {
  return Array.isArray(value) ? 'list' : isObject(value) ? 'mapping' : value === null ? 'null' : typeof value
}

/** The one kind that all items are of. */
function kindOfItems(items: Items): string {
  const kinds = new Set(items.map(kindOf))
  const [kind] = kinds
  if (kinds.size > 1 || kind === undefined || kind === 'list' || kind === 'null') {
    throw new Error('the items of a list that is merged have to be of one kind: all mappings, or all texts')
  }
  return kind
}
