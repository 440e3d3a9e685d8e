/** Discovery by a kubeconfig, from a file or an https URL. Source: kubeadm discovery/file/file.go, https/https.go (v1.36). */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { get } from 'node:https'
import { KubestepError, reasonOf } from '../../base/errors.ts'
import type { JsonObject } from '../../base/json.ts'
import { checkClock } from './clock.ts'
import { type ClusterInfo, InfoError, readClusterInfo } from './cluster-info.ts'
import { clusterOf, type DiscoveredCluster, entryOf } from './discovered-cluster.ts'

export interface FileQuestion {
  /** Path or https URL. */
  readonly place: string
  /** Reads a file of the host. */
  readonly read: (path: string) => string | undefined
  /** Takes the place of the file's own user. */
  readonly bootstrapToken?: string
}

const LIMIT_MS = 10_000

/** Finds the cluster. Throws a KubestepError. */
export async function discoverByFile({ place, read, bootstrapToken }: FileQuestion): Promise<DiscoveredCluster> {
  const what = `the discovery file "${place}"`
  const text = place.startsWith('https://') ? await fetched(place) : read(place)
  if (text === undefined)
    throw new KubestepError(`discovery: cannot read "${place}": it does not exist; correct the path`)
  const { cluster, user } = entryOf(text, what)
  const { server } = clusterOf(text, what)
  const given = embedded(cluster, 'certificate-authority', read)
  const token = bootstrapToken ?? tokenOf(user, read)
  const certificate = embedded(user, 'client-certificate', read)
  const key = embedded(user, 'client-key', read)
  const identity =
    token !== undefined ? { token } : certificate !== undefined && key !== undefined ? { certificate, key } : undefined
  if (identity === undefined) {
    throw new KubestepError(
      `discovery: cannot join with ${what}: there is neither a token nor a client certificate in it; add --tls-bootstrap-token`,
    )
  }
  const notices: string[] = []
  const info = await publicInfo({ server, ...(given !== undefined && { ca: given }), ...identity }, notices)
  checkClock(server, info?.date)
  const known = info === undefined ? undefined : clusterOf(info.kubeconfig, `cluster-info of "${server}"`)
  if (known !== undefined && known.server !== server) {
    notices.push(`[discovery] ${what} names "${server}", the cluster itself "${known.server}"; the file counts`)
  }
  const ca = given ?? known?.ca
  if (ca === undefined)
    throw new KubestepError(`discovery: cannot trust "${server}": neither ${what} nor it names a CA`)
  return { server, ca, identity, notices }
}

/** cluster-info, where it may be read: it has the CA when the file has none. */
async function publicInfo(
  question: Parameters<typeof readClusterInfo>[0],
  notices: string[],
): Promise<ClusterInfo | undefined> {
  try {
    return await readClusterInfo(question)
  } catch (error) {
    if (!(error instanceof InfoError) || error.fault !== 'refused') throw error
    notices.push(`[discovery] ${error.message.replace(/^discovery: /, '')}; going on without it`)
    return undefined
  }
}

function tokenOf(user: JsonObject | undefined, read: FileQuestion['read']): string | undefined {
  if (typeof user?.token === 'string' && user.token !== '') return user.token
  return typeof user?.tokenFile === 'string' ? read(user.tokenFile)?.trim() : undefined
}

function embedded(owner: JsonObject | undefined, field: string, read: FileQuestion['read']): string | undefined {
  const data = owner?.[`${field}-data`]
  const path = owner?.[field]
  if (typeof data === 'string' && data !== '') return Buffer.from(data, 'base64').toString()
  return typeof path === 'string' && path !== '' ? read(path) : undefined
}

async function fetched(url: string): Promise<string> {
  try {
    const call = get(url, { signal: AbortSignal.timeout(LIMIT_MS) })
    const [response] = (await once(call, 'response')) as [IncomingMessage]
    call.on('error', () => {})
    let text = ''
    for await (const chunk of response.setEncoding('utf8')) text += chunk
    if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`)
    return text
  } catch (error) {
    throw new KubestepError(`discovery: cannot fetch "${url}": ${reasonOf(error)}`, { cause: error })
  }
}
