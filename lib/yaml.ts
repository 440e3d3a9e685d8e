/**
 * YAML in and out, as Go's sigs.k8s.io/yaml reads and writes it. The function names are those of @std/yaml,
 * which is not on the npm registry; the reading is done by the npm package `yaml`.
 */
import * as yaml from 'yaml'
import type { Json } from './json.ts'

/** Reads one document. */
export function parse(text: string): Json {
  return yaml.parse(text, { version: '1.1' }) as Json
}

/** Reads all documents of a stream. */
export function parseAll(text: string): Json[] {
  return yaml.parseAllDocuments(text, { version: '1.1' }).map(document => document.toJS() as Json)
}

/** Writes a value with keys sorted, ending in a newline. */
export function stringify(value: unknown): string {
  return yaml.stringify(value, {
    indentSeq: false,
    lineWidth: 0,
    sortMapEntries: true,
    aliasDuplicateObjects: false,
    version: '1.1',
  })
}
