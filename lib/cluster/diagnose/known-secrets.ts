/** Secrets that a machine, a process and its settings hold: the mask takes them wherever they turn up. */

import { isSecretName } from '../../base/secret-shapes.ts'
import { readTextOrEmpty } from '../../machine/files.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** What shorter values of variables hold is a setting. */
const SHORTEST_VALUE = 6

/** Values of variables that are named like secrets, and logins in addresses. */
export function environmentSecrets(environment: Environment): string[] {
  return Object.entries(environment).flatMap(([name, value = '']) => [
    // A path to a secret is none.
    ...(isSecretName(name) && value.length >= SHORTEST_VALUE && !/^\/[\w./-]*$/.test(value) ? [value] : []),
    ...addressSecrets(value, /proxy$/i.test(name)),
  ])
}

/** Passwords in addresses: `https://user:password@host`, with `bare` also without the scheme. */
export function addressSecrets(text: string, bare = false): string[] {
  const logins = [...text.matchAll(/:\/\/([^\s/"'@]*:)?([^\s"'@/]+)@/g)].map(([, , password = '']) => password)
  const [, schemeless] = (bare && !text.includes('://') && /^[^\s/@:]*:([^\s@]+)@/.exec(text)) || []
  return [...logins, ...(schemeless === undefined ? [] : [schemeless])].flatMap(one => [one, decoded(one)])
}

/** Values of fields in a file of settings that are named like secrets, as TOML, YAML and JSON write them. */
export function fieldSecrets(text: string): string[] {
  const fields = text.matchAll(
    /(?:^|[\s,{])["']?([\w.-]+)["']?[ \t]*[:=][ \t]*(?:"([^"\n]+)"|'([^'\n]+)'|([^\s"'{}[\],]+))/gm,
  )
  return [...fields].flatMap(([, name = '', a, b, c]) => {
    const value = a ?? b ?? c ?? ''
    if (!isSecretName(name) || value.length < SHORTEST_VALUE) return []
    const inside = Buffer.from(value, 'base64').toString()
    if (name.endsWith('key-data')) return [value, ...keyLines(inside)]
    // A login of a registry is name and password together.
    const [, password] = /^[^:]+:(.+)$/.exec(inside) ?? []
    return [value, ...(name.endsWith('auth') && password !== undefined ? [password] : [])]
  })
}

const SHORTEST_LINE = 16

/** Lines of a key in PEM. */
export function keyLines(pem: string): string[] {
  return pem.split('\n').filter(line => line.length >= SHORTEST_LINE && !line.startsWith('-----'))
}

/** Secrets in files: keys in PEM, fields of the others. */
export function fileSecrets(paths: readonly string[]): string[] {
  return paths.flatMap(path => {
    const text = readTextOrEmpty(path)
    const keys = text.match(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END/g) ?? []
    return [...keys.flatMap(keyLines), ...(path.endsWith('.key') ? [] : fieldSecrets(text))]
  })
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
