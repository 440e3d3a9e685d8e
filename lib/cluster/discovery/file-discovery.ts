/** Discovery by a kubeconfig, from a file or an https URL. Source: kubeadm discovery/file/file.go, https/https.go (v1.36). */
import { KubestepError } from '../../base/errors.ts'
import type { JsonObject } from '../../base/json.ts'
import { fetchText } from '../../supply/fetch/http-answer.ts'
import { openNetwork } from '../../supply/fetch/network.ts'
import { awaitClusterInfo, type ClusterInfo, type Patience, type Question } from './cluster-info.ts'
import { clusterOf, type DiscoveredCluster, entryOf } from './discovered-cluster.ts'
import { embedded, identityOf } from './embedded-credentials.ts'
import { InfoError } from './info-error.ts'

export interface FileQuestion {
  /** Path or https URL. */
  readonly place: string
  /** Reads a file of the host. */
  readonly read: (path: string) => string | undefined
  /** Takes the place of the file's own user. */
  readonly bootstrapToken?: string
  /** How long a server that cannot be reached is waited for. */
  readonly patienceMs: number
  /** Is told why it is waited. */
  readonly say: (line: string) => void
}

/** All of it, with further tries. */
const FETCH_MS = 10_000

/** Finds the cluster. Throws a KubestepError. */
export async function discoverByFile(question: FileQuestion): Promise<DiscoveredCluster> {
  const { place, read, bootstrapToken, patienceMs, say } = question
  const isUrl = place.startsWith('https://')
  // What comes before @ or after ? may be a secret.
  const shown = isUrl ? place.replace(/^https:\/\/[^/]*@/, 'https://').replace(/[?#].*$/s, '') : place
  const what = `the discovery file "${shown}"`
  const text = isUrl ? await fetched(place, shown) : read(place)
  if (text === undefined)
    throw new KubestepError(`discovery: cannot read "${place}": it does not exist; correct the path`)
  const { cluster, user } = entryOf(text, what)
  const { server } = clusterOf(text, what)
  const source = { what, read }
  const given = embedded(cluster, 'certificate-authority', source)
  const identity = bootstrapToken === undefined ? identityOf(user, source) : { token: bootstrapToken }
  if (identity === undefined) {
    throw new KubestepError(
      `discovery: cannot join with ${what}: there is neither a token nor a client certificate with its key in it; add --tls-bootstrap-token`,
    )
  }
  const notices: string[] = []
  const trust = trustOf(cluster, given)
  if (trust.believesAll)
    notices.push(
      `[discovery] ${what} has no CA and says insecure-skip-tls-verify: whoever answers at "${server}" is believed`,
    )
  // Who is just believed hears of no secret.
  const asked = { server, ...trust, ...(!trust.believesAll && identity) }
  const tell = (reason: string): void => say(`[discovery] Waiting: ${reason}`)
  const info = await publicInfo(asked, { limitMs: patienceMs, tell }, notices)
  const known = info === undefined ? undefined : clusterOf(info.kubeconfig, `cluster-info of "${server}"`)
  if (known !== undefined && known.server !== server) {
    notices.push(`[discovery] ${what} names "${server}", the cluster itself "${known.server}"; the file counts`)
  }
  const ca = given ?? known?.ca
  if (ca === undefined)
    throw new KubestepError(`discovery: cannot trust "${server}": neither ${what} nor it names a CA`)
  return { server, ca, identity, notices }
}

/** By whom the server has to be known, as every client of kubeconfigs takes it. */
function trustOf(cluster: JsonObject, ca: string | undefined): Pick<Question, 'ca' | 'believesAll'> {
  if (ca !== undefined) return { ca }
  return cluster['insecure-skip-tls-verify'] === true ? { believesAll: true } : {}
}

/** cluster-info, where it may be read: it has the CA when the file has none. */
async function publicInfo(question: Question, patience: Patience, notices: string[]): Promise<ClusterInfo | undefined> {
  try {
    return await awaitClusterInfo(question, patience)
  } catch (error) {
    if (!(error instanceof InfoError) || error.fault !== 'refused') throw error
    notices.push(`[discovery] ${error.message.replace(/^discovery: /, '')}; going on without it`)
    return undefined
  }
}

async function fetched(url: string, shown: string): Promise<string> {
  const limits = { answerMs: 5_000, stallMs: 5_000, stallBytes: 1, tries: 2 }
  const network = openNetwork({ deadline: AbortSignal.timeout(FETCH_MS), limits })
  try {
    return await fetchText({ subject: `"${shown}"`, urls: [url] }, network, { read: text => text, kind: 'kubeconfig' })
  } catch (error) {
    if (!(error instanceof KubestepError)) throw error
    throw new KubestepError(error.message.replace(/^components:/, 'discovery:'), { cause: error })
  } finally {
    network.close()
  }
}
