/** The bootstrap tokens of a cluster: read from their Secrets, shown as kubeadm shows them. */

import type { Json, JsonObject } from '../../base/json.ts'
import { isObject } from '../../base/json.ts'
import { parseToken, TOKEN_USAGES, type Token } from '../../base/token.ts'
import type { Api } from '../../cluster/api/api-client.ts'

export interface StoredToken {
  readonly token: Token
  readonly description?: string
  /** RFC 3339, as it is stored; absent for one that lives for ever. */
  readonly expires?: string
  readonly usages: readonly string[]
  readonly groups: readonly string[]
}

export const TOKEN_SECRETS = '/api/v1/namespaces/kube-system/secrets'

/** Every token of the cluster by id; Secrets that hold none are passed over. Throws an ApiError. */
export async function storedTokens(api: Api): Promise<StoredToken[]> {
  const selector = encodeURIComponent('type=bootstrap.kubernetes.io/token')
  const list = await api.get(`${TOKEN_SECRETS}?fieldSelector=${selector}`)
  return (Array.isArray(list?.items) ? (list.items as readonly JsonObject[]) : []).flatMap(readToken)
}

const USAGE = 'usage-bootstrap-'

// Source: kubeadm apis/bootstraptoken/v1/utils.go, BootstrapTokenFromSecret (v1.36).
function readToken({ data }: JsonObject): StoredToken[] {
  const text = (key: string): string =>
    isObject(data) && typeof data[key] === 'string' ? Buffer.from(data[key], 'base64').toString() : ''
  const token = parseToken(`${text('token-id')}.${text('token-secret')}`)
  if (token === undefined) return []
  const keys = Object.keys(isObject(data) ? data : {})
  const usages = keys.filter(key => key.startsWith(USAGE) && text(key) === 'true').map(key => key.slice(USAGE.length))
  const groups = text('auth-extra-groups').split(',').filter(Boolean)
  return [
    {
      token,
      ...(text('description') !== '' && { description: text('description') }),
      ...(text('expiration') !== '' && { expires: text('expiration') }),
      usages: usages.sort(),
      groups: groups.sort(),
    },
  ]
}

/** Whether a node can join with it: it proves who the cluster is, and who the node is, and has not ended. */
export function joins({ usages, expires }: StoredToken, now: Date): boolean {
  return TOKEN_USAGES.every(usage => usages.includes(usage)) && (expires === undefined || new Date(expires) > now)
}

const NONE = '<none>'

/** Least width of each column but the last, with the blanks after it. */
const WIDTHS: readonly number[] = [26, 12, 10, 25, 59]

/** A table for people. Source: kubeadm cmd/token.go, tokenTextPrinter (v1.36). */
export function tokenTable(tokens: readonly StoredToken[], now: Date): string {
  if (tokens.length === 0) return ''
  const rows = tokens.map(({ token, description, expires, usages, groups }) => [
    `${token.id}.${token.secret}`,
    expires === undefined ? '<forever>' : shortDuration(new Date(expires).getTime() - now.getTime()),
    expires ?? '<never>',
    usages.join(',') || NONE,
    description ?? NONE,
    groups.join(',') || NONE,
  ])
  const table = [['TOKEN', 'TTL', 'EXPIRES', 'USAGES', 'DESCRIPTION', 'EXTRA GROUPS'], ...rows]
  const widths =
    table[0]?.map((_, column) =>
      Math.max(WIDTHS[column] ?? 0, ...table.map(row => [...(row[column] ?? '')].length + 3)),
    ) ?? []
  return table
    .map(
      row =>
        `${row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join('')}\n`,
    )
    .join('')
}

/** As an object of kubeadm's output API. */
export function tokenObject({ token, description, expires, usages, groups }: StoredToken): Record<string, Json> {
  return {
    kind: 'BootstrapToken',
    apiVersion: 'output.kubeadm.k8s.io/v1alpha3',
    token: `${token.id}.${token.secret}`,
    ...(description !== undefined && { description }),
    ...(expires !== undefined && { expires }),
    ...(usages.length > 0 && { usages }),
    ...(groups.length > 0 && { groups }),
  }
}

const UNITS: readonly (readonly [below: number, seconds: number, letter: string])[] = [
  [60, 1, 's'],
  [3600, 60, 'm'],
  [24 * 3600, 3600, 'h'],
  [365 * 24 * 3600, 24 * 3600, 'd'],
  [Number.POSITIVE_INFINITY, 365 * 24 * 3600, 'y'],
]

// Source: k8s.io/apimachinery util/duration, ShortHumanDuration (v1.36).
function shortDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000)
  if (Number.isNaN(seconds) || seconds < -1) return '<invalid>'
  const [, unit, letter] = UNITS.find(([below]) => seconds < below) ?? [0, 1, 's']
  return `${Math.max(0, Math.floor(seconds / unit))}${letter}`
}
