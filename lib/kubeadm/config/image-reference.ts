/** Names of container images. Source: the grammar of github.com/distribution/reference (v0.6). */

const DOMAIN_PART = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])'
const DOMAIN = `(?:${DOMAIN_PART}(?:\\.${DOMAIN_PART})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`
const PATH_PART = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*'
const REPOSITORY = new RegExp(`^(?:${DOMAIN}/)?${PATH_PART}(?:/${PATH_PART})*$`)

/** Whether images can lie below `repository`: `registry.k8s.io`, `localhost:5000/k8s`. */
export function isImageRepository(repository: string): boolean {
  return REPOSITORY.test(`${repository}/name`)
}
