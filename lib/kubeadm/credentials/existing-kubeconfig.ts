/**
 * What may be kept: a kubeconfig that is there already is read and compared with the CA and the server.
 * Source: kubeadm phases/kubeconfig/kubeconfig.go validateKubeConfig (v1.36).
 */
import { posix } from 'node:path'
import { reasonOf } from '../../base/errors.ts'
import { isObject, type Json, type JsonObject } from '../../base/json.ts'
import { parse } from '../../base/yaml.ts'
import { type Certificate, parseCertificates, same } from './certificate.ts'
import { chains } from './certificate-fit.ts'
import type { Read } from './credential-store.ts'
import { type PrivateKey, parsePrivateKey } from './keys.ts'
import { validityFault } from './validity.ts'

export interface ExistingKubeconfig {
  readonly path: string
  readonly text: string
}

/** What it must agree with. */
export interface Trust {
  /** All certificates of ca.crt; undefined when that file is faulty, which somebody else says. */
  readonly authorities: readonly Certificate[] | undefined
  readonly authorityPath: string
  readonly server: string
  readonly now: Date
}

/** Why it cannot be kept, if so, and what is odd about it otherwise. */
export interface Verdict {
  readonly fault?: string
  readonly warnings: readonly string[]
}

export function judgeKubeconfig(existing: ExistingKubeconfig, trust: Trust, read: Read): Verdict {
  try {
    const { cluster } = currentContext(existing.text)
    checkAuthority(existing.path, cluster, trust, read)
    const warnings = checkClient(existing, trust, read)
    if (cluster.server !== trust.server) {
      warnings.push(
        `it has an unexpected API Server URL: expected: ${trust.server}, got: ${String(cluster.server ?? '')}`,
      )
    }
    return { warnings }
  } catch (error) {
    return { fault: reasonOf(error), warnings: [] }
  }
}

/** A kubeconfig, and in it cluster and user of the current context. Throws a RangeError that says what is missing. */
export function currentContext(text: string): { config: JsonObject; cluster: JsonObject; user: JsonObject } {
  const config = parseObject(text)
  const name = String(config['current-context'] ?? '')
  const context = named(config.contexts, name, 'context')
  if (context === undefined)
    throw new RangeError(`its current context ${JSON.stringify(name)} is not among its contexts`)
  const cluster = named(config.clusters, context.cluster, 'cluster')
  if (cluster === undefined) {
    throw new RangeError(
      `its current context names the cluster ${JSON.stringify(context.cluster ?? '')}, which is not in it`,
    )
  }
  return { config, cluster, user: named(config.users, context.user, 'user') ?? {} }
}

/** Whether the client's certificate stands in the file itself. Throws a RangeError for one that cannot be read. */
export function isEmbedded(text: string): boolean {
  return Boolean(currentContext(text).user['client-certificate-data'])
}

/** The same kubeconfig with other credentials in its current context, as PEM; everything else stays. Throws a RangeError. */
export function renewedKubeconfig(
  text: string,
  { authority, certificate, key }: { readonly authority: string; readonly certificate: string; readonly key: string },
): JsonObject {
  const { config, cluster, user } = currentContext(text)
  const base64 = (pem: string): string => Buffer.from(pem).toString('base64')
  const replace = (list: Json | undefined, part: 'cluster' | 'user', old: JsonObject, fields: JsonObject): Json =>
    (Array.isArray(list) ? list : []).map((one: Json) =>
      isObject(one) && one[part] === old ? { ...one, [part]: { ...old, ...fields } } : one,
    )
  return {
    ...config,
    clusters: replace(config.clusters, 'cluster', cluster, { 'certificate-authority-data': base64(authority) }),
    users: replace(config.users, 'user', user, {
      'client-certificate-data': base64(certificate),
      'client-key-data': base64(key),
    }),
  }
}

function parseObject(text: string): JsonObject {
  if (text.trim() === '') throw new RangeError('it is empty')
  let config: unknown
  try {
    config = parse(text)
  } catch (error) {
    // Only the first line: what follows quotes the file, and there are keys in it.
    throw new RangeError(`it is not valid YAML: ${reasonOf(error).replace(/:?\n[\s\S]*/, '')}`)
  }
  if (!isObject(config) || (config.kind ?? 'Config') !== 'Config') throw new RangeError('it is not a kubeconfig')
  return config
}

/** The part of that name in a list of `{ name, <part> }`. */
function named(list: unknown, name: unknown, part: 'context' | 'cluster' | 'user'): JsonObject | undefined {
  const entry = Array.isArray(list) ? list.find(one => isObject(one) && one.name === name) : undefined
  const value: unknown = isObject(entry) ? entry[part] : undefined
  return isObject(value) ? value : undefined
}

/** Its CA, the first when there are several, must be one of ours. */
function checkAuthority(path: string, cluster: JsonObject, { authorities, authorityPath }: Trust, read: Read): void {
  const pem = material(path, cluster, 'certificate-authority', read)
  if (pem === undefined) throw new RangeError("it holds no CA certificate in its current context's cluster")
  const found = parseMaterial(pem, 'CA certificate', parseCertificates)
  if (authorities === undefined || authorities.some(authority => same(authority.bytes, found[0].bytes))) return
  throw new RangeError(
    `it does not contain a trusted CA in its current context's cluster: the CA it names is not in "${authorityPath}" (CA certificates found: ${found.length})`,
  )
}

/**
 * kubeadm trusts the client's credentials unseen, and fails minutes later. Here they must be usable; whether the
 * API server trusts another CA besides ours cannot be known, so that gives a warning only.
 */
function checkClient(existing: ExistingKubeconfig, { authorities, now }: Trust, read: Read): string[] {
  const { certificates, key } = clientOf(existing, read)
  if (certificates === undefined) return []
  const [leaf, ...intermediates] = certificates
  const dates = validityFault(leaf, now)
  if (dates !== undefined) throw new RangeError(`of its client certificate: ${dates}`)
  if (key !== undefined && !same(key.publicKey, leaf.publicKey)) {
    throw new RangeError('its client key does not belong to its client certificate')
  }
  const known = authorities?.some(root => chains(leaf, intermediates, root)) ?? true
  return known ? [] : ['its client certificate is not signed by the CA']
}

/** Certificates and key of a kubeconfig's client; absent what it does not have. Throws a RangeError that says what is wrong. */
export function clientOf(
  { path, text }: ExistingKubeconfig,
  read: Read,
): { readonly certificates?: readonly [Certificate, ...Certificate[]]; readonly key?: PrivateKey } {
  const { user } = currentContext(text)
  const pem = material(path, user, 'client-certificate', read)
  const key = material(path, user, 'client-key', read)
  return {
    ...(pem !== undefined && { certificates: parseMaterial(pem, 'client certificate', parseCertificates) }),
    ...(key !== undefined && { key: parseMaterial(key, 'client key', parsePrivateKey) }),
  }
}

function parseMaterial<T>(pem: string, what: string, parsePem: (text: string) => T): T {
  try {
    return parsePem(pem)
  } catch (error) {
    throw new RangeError(`of its ${what}: ${reasonOf(error)}`, { cause: error })
  }
}

/** PEM from `<name>-data` in base64, else from the file that `<name>` names; undefined when there is neither. */
function material(path: string, holder: JsonObject, name: string, read: Read): string | undefined {
  const data = holder[`${name}-data`]
  if (typeof data === 'string' && data !== '') {
    if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(data)) throw new RangeError(`its ${name}-data is not valid base64`)
    return Buffer.from(data, 'base64').toString('utf8')
  }
  const file = holder[name]
  return typeof file === 'string' && file !== '' ? read(posix.resolve(posix.dirname(path), file)) : undefined
}
