/** What an API server that takes connections and does not answer says of itself. */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { get } from 'node:https'

/** Its own look at etcd takes 2 s; /readyz may tell of an earlier one. Source: kube-apiserver, --etcd-healthcheck-timeout (v1.36). */
const LIMIT_MS = 3_000

/** A line for each check. */
const MOST_CHARACTERS = 100_000

/** Names of its checks that fail, e.g. `etcd`: everybody may ask for them. None when it does not tell. */
export async function failedChecks(server: string): Promise<readonly string[]> {
  try {
    const url = `${server}/livez?verbose`
    const call = get(url, { agent: false, rejectUnauthorized: false, signal: AbortSignal.timeout(LIMIT_MS) })
    const [response] = (await once(call, 'response')) as [IncomingMessage]
    call.on('error', () => {})
    let text = ''
    for await (const chunk of response.setEncoding('utf8')) {
      text += chunk
      if (text.length > MOST_CHARACTERS) return []
    }
    return [...text.matchAll(/^\[-\](\S+) failed/gm)].map(([, name = '']) => name)
  } catch {
    return []
  }
}
