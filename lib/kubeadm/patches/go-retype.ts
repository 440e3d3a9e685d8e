/**
 * What becomes of a patched Pod or Deployment when Go reads it into its type and writes that again, as kubeadm does:
 * unknown fields vanish, empty ones too, `1024Mi` becomes `1Gi`.
 */
import { encodeFields } from '../../base/go/struct.ts'
import { structTable } from '../../base/go/struct-table.ts'
import { isObject, type JsonObject } from '../../base/json.ts'
import { nearest } from '../../base/nearest.ts'
import { POD_TYPES } from './pod-types.ts'
import { VOLUME_TYPES } from './volume-types.ts'

export interface Retyped {
  readonly object: JsonObject
  /** Paths that the type does not know, with a guess what was meant. */
  readonly unknown: readonly string[]
  /** What Go cannot read, each with its path. */
  readonly faults: readonly string[]
}

/** `object` as its type writes it, by the release that wrote `original`; apiVersion and kind stay as they are. */
export function retype(object: JsonObject, type: string, original: JsonObject): Retyped {
  const { apiVersion, kind, ...fields } = object
  const { value, faults } = encodeFields(structTable(POD_TYPES + VOLUME_TYPES)(type), fields)
  const { metadata } = original
  // A member that is undefined is one that the release does not write. Up to 1.33 it stood in every metadata.
  const writesCreation = isObject(metadata) && metadata.creationTimestamp !== undefined
  return {
    object: { apiVersion, kind, ...(writesCreation ? withCreation(value) : value) },
    unknown: faults.flatMap(({ field, siblings }) => {
      if (siblings === undefined) return []
      const hint = nearest(field.split('.').at(-1) ?? '', siblings)
      return `"${field}"${hint === undefined ? '' : ` (did you mean "${hint}"?)`}`
    }),
    faults: faults.flatMap(({ field, reason, siblings }) => {
      const wanted = reason.replace(/^it must be (.*); correct the value$/, '$1')
      return siblings === undefined ? `"${field}" has to be ${wanted === 'a text' ? 'a text; quote it' : wanted}` : []
    }),
  }
}

function withCreation({ metadata, spec, ...rest }: JsonObject): JsonObject {
  const dated = { creationTimestamp: null, ...(isObject(metadata) ? metadata : {}) }
  const inner = isObject(spec) && isObject(spec.template) ? { ...spec, template: withCreation(spec.template) } : spec
  return { metadata: dated, ...(inner !== undefined && { spec: inner }), ...rest }
}
