/** How far a member of etcd has got, as it says at the port of its metrics, where it answers before it serves clients. */
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'

const LIMIT_MS = 1000

/** Source: etcd server/etcdserver/metrics.go (v3.4 to v3.6). */
const APPLIED = /^etcd_server_proposals_applied_total (\S+)$/m

/** The index of what it has applied last; undefined when it does not say. Never throws. */
export async function appliedIndex(host: string, port: number): Promise<number | undefined> {
  try {
    const call = get({ host, port, path: '/metrics', agent: false, signal: AbortSignal.timeout(LIMIT_MS) })
    const [response] = (await once(call, 'response')) as [IncomingMessage]
    let text = ''
    for await (const chunk of response.setEncoding('utf8')) text += chunk
    const told = APPLIED.exec(text)?.[1]
    return told === undefined ? undefined : Number(told)
  } catch {
    return undefined
  }
}
