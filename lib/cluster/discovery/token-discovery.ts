/**
 * Discovery by token: cluster-info is signed with the token, and its CA is the one that is pinned.
 * Source: kubeadm discovery/token/token.go (v1.36). What cannot come right by waiting is said at once.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { KubestepError } from '../../base/errors.ts'
import { parseToken, type Token } from '../../base/token.ts'
import { parsePins, pinsOf } from '../../kubeadm/credentials/ca-pins.ts'
import { isClusterInfoSigned } from '../../kubeadm/credentials/cluster-info-signature.ts'
import { awaitClusterInfo, type ClusterInfo, readClusterInfo } from './cluster-info.ts'
import { clusterOf, type DiscoveredCluster } from './discovered-cluster.ts'

export interface TokenQuestion {
  /** `host:port`. */
  readonly endpoint: string
  readonly token: string
  readonly pins: readonly string[]
  /** Token for the kubelet's certificate. */
  readonly bootstrapToken: string
  /** How long a server that cannot be reached is waited for. */
  readonly patienceMs: number
  /** Is told once why it is waited. */
  readonly say: (line: string) => void
}

/** How long a signature is waited for: the controller manager signs within a second. */
const SIGNING_MS = 5_000
const POLL_MS = 100

/** Finds the cluster. Throws a KubestepError, within seconds and without having changed anything. */
export async function discoverByToken(question: TokenQuestion): Promise<DiscoveredCluster> {
  const pins = parsePins(question.pins)
  const token = parseToken(question.token)
  if (token === undefined) throw new KubestepError('discovery: cannot use the token: it is none')
  const server = `https://${question.endpoint}`
  const info = await signedInfo(server, token, question)
  const what = `cluster-info of "${server}"`
  const signature = info.signatures[token.id] ?? ''
  if (!(await isClusterInfoSigned(info.kubeconfig, signature, token))) {
    throw new KubestepError(
      `discovery: cannot trust "${server}": its cluster-info is not signed with this token, of which the id "${token.id}" is right; correct its secret, or somebody stands between`,
    )
  }
  const cluster = clusterOf(info.kubeconfig, what)
  if (cluster.ca === undefined) throw new KubestepError(`discovery: cannot use ${what}: there is no CA in it`)
  const found = pinsOf(cluster.ca)
  if (pins.length > 0 && !found.some(pin => pins.includes(pin))) {
    throw new KubestepError(
      `discovery: cannot trust "${server}": none of its CAs has the hash that was given; they have ${found.join(', ')}; get the join command of that cluster again`,
    )
  }
  // Whoever answered before was believed; now only who has a certificate of that CA.
  const again = await readClusterInfo({ server, ca: cluster.ca, date: info.date })
  if (again.kubeconfig !== info.kubeconfig) {
    throw new KubestepError(
      `discovery: cannot trust "${server}": its cluster-info changed between two looks; try again`,
    )
  }
  const isOther = cluster.server !== server
  return {
    server: cluster.server,
    ca: cluster.ca,
    identity: { token: question.bootstrapToken },
    notices: isOther
      ? [
          `[discovery] The cluster says that it is at "${cluster.server}": that counts from here on, and not "${server}"`,
        ]
      : [],
  }
}

/** Waits for a server that is about to come up, and for a signature that is about to be made. */
async function signedInfo(server: string, token: Token, { patienceMs, say }: TokenQuestion): Promise<ClusterInfo> {
  const tell = (reason: string): void => say(`[discovery] Waiting: ${reason}`)
  const start = Date.now()
  for (let looks = 0; ; looks++) {
    const patience = { limitMs: patienceMs - (Date.now() - start), tell }
    const info = await awaitClusterInfo({ server, believesAll: true }, patience)
    if (info.signatures[token.id]) return info
    if (Date.now() - start > SIGNING_MS) throw new KubestepError(unsigned(server, token, info))
    if (looks === 0) tell(`token "${token.id}" is not signed there yet`)
    await sleep(POLL_MS)
  }
}

function unsigned(server: string, { id }: Token, { signatures }: ClusterInfo): string {
  const ids = Object.keys(signatures).sort()
  const known = ids.length === 0 ? 'no token is signed there' : `those of ${ids.join(', ')} are signed there`
  return `discovery: cannot trust "${server}": token "${id}" is unknown there or has expired; ${known}; make one with "token create --print-join-command" on a control plane node`
}
