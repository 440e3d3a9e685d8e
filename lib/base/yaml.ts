/**
 * YAML in and out, as Go's sigs.k8s.io/yaml reads and writes it. The function names are those of @std/yaml,
 * which is not on the npm registry; the reading is done by the npm package `yaml`, loaded at the first use.
 */
export {
  formatPath,
  type ParseOptions,
  type Path,
  parse,
  parseAll,
  parseDocuments,
  type YamlDocument,
} from './yaml/documents.ts'
export { stringify } from './yaml/write.ts'
