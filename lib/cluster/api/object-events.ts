/** Events of the agent: what `kubectl describe` says of an object that cannot be served. */
import type { Api } from './api-client.ts'

export interface EventSubject {
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

/** Says something of an object, once; `kind` has its version before it, but for v1. */
export type Tell = (kind: string, subject: EventSubject, reason: string, message: string) => Promise<void>

/** What says it in the cluster and in the log of the agent. */
export function tellOf(open: () => Api, say: (line: string) => void): Tell {
  const said = new Set<string>()
  return async (kind, { namespace, name, uid }, reason, message) => {
    const key = `${uid} ${reason} ${message}`
    if (said.has(key)) return
    said.add(key)
    const [apiVersion, word] = kind.includes(' ') ? kind.split(' ') : ['v1', kind]
    say(`${word} ${namespace}/${name}: ${message}`)
    const api = open()
    const now = new Date().toISOString()
    try {
      await api.send('POST', `/api/v1/namespaces/${namespace}/events`, {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { generateName: `${name}.`, namespace },
        involvedObject: { apiVersion, kind: word, namespace, name, uid },
        type: 'Warning',
        reason,
        message,
        source: { component: 'kubestep-agent' },
        firstTimestamp: now,
        lastTimestamp: now,
        count: 1,
      })
    } finally {
      api.close()
    }
  }
}
