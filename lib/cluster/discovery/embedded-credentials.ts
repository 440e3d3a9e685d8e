/** What a discovery file holds, or names the files of: a CA, and who to be. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { KubestepError, reasonOf } from '../../base/errors.ts'
import type { JsonObject } from '../../base/json.ts'
import type { DiscoveredCluster } from './discovered-cluster.ts'

export interface CredentialsSource {
  /** For messages. */
  readonly what: string
  /** Reads a file of the host. */
  readonly read: (path: string) => string | undefined
}

type PemField = 'certificate-authority' | 'client-certificate' | 'client-key'

/** PEM of a field, after a look at it; undefined where there is none. Throws a KubestepError. */
export function embedded(
  owner: JsonObject | undefined,
  field: PemField,
  { what, read }: CredentialsSource,
): string | undefined {
  const data = owner?.[`${field}-data`]
  const text =
    typeof data === 'string' && data !== ''
      ? Buffer.from(data, 'base64').toString()
      : named(owner, field, { what, read })
  if (text === undefined) return undefined
  try {
    if (field === 'client-key') createPrivateKey(text)
    else new X509Certificate(text)
  } catch (error) {
    throw new KubestepError(
      `discovery: cannot use ${what}: its ${field} is damaged (${reasonOf(error)}); make it again`,
      {
        cause: error,
      },
    )
  }
  return text
}

/** The user of a kubeconfig, as far as a kubelet can be it; undefined when there is nothing to be known by. */
export function identityOf(
  user: JsonObject | undefined,
  source: CredentialsSource,
): DiscoveredCluster['identity'] | undefined {
  const token = typeof user?.token === 'string' && user.token !== '' ? user.token : named(user, 'tokenFile', source)
  if (token !== undefined) return { token: token.trim() }
  const certificate = embedded(user, 'client-certificate', source)
  const key = embedded(user, 'client-key', source)
  return certificate === undefined || key === undefined ? undefined : { certificate, key }
}

/** The file that a field names: without it whoever answers might be trusted, or nobody be known. */
function named(
  owner: JsonObject | undefined,
  field: PemField | 'tokenFile',
  { what, read }: CredentialsSource,
): string | undefined {
  const path = owner?.[field]
  if (typeof path !== 'string' || path === '') return undefined
  const text = read(path)
  if (text !== undefined) return text
  throw new KubestepError(`discovery: cannot use ${what}: its ${field} "${path}" does not exist; correct the path`)
}
