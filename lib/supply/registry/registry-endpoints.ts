/**
 * Where the images of a registry are asked for: at its mirrors from `--mirror`, at what containerd's own configuration
 * names for it (`/etc/containerd/certs.d/<registry>/hosts.toml`), else at the registry itself.
 */
import { dirname, isAbsolute, join } from 'node:path'
import { KubestepError, reasonOf } from '../../base/errors.ts'
import { isObject, type JsonObject } from '../../base/json.ts'
import { readFile } from '../../machine/files.ts'
import type { Mirrors } from '../fetch/mirrors.ts'
import type { TlsSettings } from '../fetch/proxy.ts'
import { type Reference, registryAddress } from '../fetch/reference.ts'

export interface Endpoint {
  /** What comes before `/<repository>/manifests/<tag>`, e.g. `https://registry.k8s.io/v2`. */
  readonly base: string
  /** Whether it may say which image a tag stands for; otherwise it has content by digest alone. */
  readonly resolves: boolean
  readonly headers: Readonly<Record<string, string>>
  readonly tls?: TlsSettings
}

/** Where containerd's documentation, and its packages from 2.2 on, put the configuration of registries. */
export const HOSTS_FOLDER = '/etc/containerd/certs.d'

const PLAIN = { resolves: true, headers: {} } as const

/** In the order in which they are tried. Throws a KubestepError for a file that cannot be used. */
export async function endpointsOf(
  reference: Reference,
  mirrors: Mirrors,
  folder: string = HOSTS_FOLDER,
): Promise<readonly Endpoint[]> {
  const mirrored = mirrors.hosts.get(reference.host)
  if (mirrored !== undefined) return mirrored.map(url => ({ ...PLAIN, base: mirrorBase(url) }))
  for (const name of folderNames(reference.host)) {
    const path = join(folder, name, 'hosts.toml')
    const text = readFile('/', path)
    if (text !== undefined) return readHosts(text, path, reference)
  }
  return [{ ...PLAIN, base: `${registryAddress(reference)}/v2` }]
}

/** `https://mirror.example.org/k8s` has what the registry has below `/v2/k8s/`, as in registries.conf(5). */
export function mirrorBase(url: string): string {
  const { origin, pathname } = new URL(url)
  const path = pathname === '/' ? '' : pathname
  return /^\/v2(?:\/|$)/.test(path) ? `${origin}${path}` : `${origin}/v2${path}`
}

/** Source: containerd core/remotes/docker/config (2.1): the port may be written with underscores. */
function folderNames(host: string): readonly string[] {
  const [, name = host, port] = /^(.*):(\d+)$/.exec(host) ?? []
  return port === undefined ? [host, '_default'] : [`${name}_${port}_`, host, '_default']
}

/** Source: containerd docs/hosts.md (2.1). */
async function readHosts(text: string, path: string, reference: Reference): Promise<readonly Endpoint[]> {
  const { parse } = await import('smol-toml')
  try {
    const file = parse(text) as JsonObject
    const { server, host } = file
    const mirrors = Object.entries(isObject(host) ? host : {}).map(([url, settings]) =>
      endpoint(url, isObject(settings) ? settings : {}, path),
    )
    const origin = typeof server === 'string' && server !== '' ? server : registryAddress(reference)
    const asked = [...mirrors, endpoint(origin, file, path)]
    return asked.filter(one => one !== undefined)
  } catch (error) {
    throw new KubestepError(`images: cannot use "${path}": ${reasonOf(error)}; correct it, or name a --mirror`, {
      cause: error,
    })
  }
}

function endpoint(address: string, settings: JsonObject, path: string): Endpoint | undefined {
  const url = new URL(address.includes('://') ? address : `https://${address}`)
  const capabilities = Array.isArray(settings.capabilities) ? settings.capabilities : ['pull', 'resolve']
  if (!capabilities.includes('pull')) return undefined
  const prefix = url.pathname.replace(/\/+$/, '')
  const whole = settings.override_path === true || prefix.endsWith('/v2')
  const tls = tlsOf(settings, dirname(path))
  return {
    base: `${url.origin}${prefix}${whole ? '' : '/v2'}`,
    resolves: capabilities.includes('resolve'),
    headers: headersOf(settings.header),
    ...(tls !== undefined && { tls }),
  }
}

function headersOf(header: JsonObject[string]): Readonly<Record<string, string>> {
  const entries = Object.entries(isObject(header) ? header : {})
  return Object.fromEntries(
    entries.map(([name, value]) => [name.toLowerCase(), Array.isArray(value) ? value.join(', ') : String(value)]),
  )
}

function tlsOf({ ca, client, skip_verify: skip }: JsonObject, folder: string): TlsSettings | undefined {
  const read = (path: string): string => {
    const file = isAbsolute(path) ? path : join(folder, path)
    const text = readFile('/', file)
    if (text === undefined) throw new KubestepError(`"${file}" does not exist`)
    return text
  }
  const authorities = strings(ca).map(read)
  // A file with certificate and key, or pairs of files; the first pair is enough for a registry.
  const [pair] = Array.isArray(client) ? client : [client]
  const [cert, key = cert] = strings(pair).map(read)
  if (authorities.length === 0 && cert === undefined && skip !== true) return undefined
  return {
    ...(authorities.length > 0 && { ca: authorities }),
    ...(cert !== undefined && key !== undefined && { cert, key }),
    ...(skip === true && { rejectUnauthorized: false }),
  }
}

function strings(value: JsonObject[string]): readonly string[] {
  const list = Array.isArray(value) ? value : [value]
  return list.filter(one => typeof one === 'string' && one !== '').map(String)
}
