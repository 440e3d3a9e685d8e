/** Connections, direct or through the proxy that the environment names; loaded only when there is one. */
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { KubestepError } from '../errors.ts'

export interface Route {
  readonly agent: HttpAgent
  /** `host:port` of the proxy in between, for messages; empty when there is none. */
  readonly proxy: string
}

/** How a server proves who it is, and this client to it, where that is not the usual. Certificates as PEM. */
export interface TlsSettings {
  readonly ca?: readonly string[]
  readonly cert?: string
  readonly key?: string
  readonly rejectUnauthorized?: false
}

/** Settings by origin, e.g. `https://mirror.example.org`. */
export type TlsByOrigin = ReadonlyMap<string, TlsSettings>

export interface Connections {
  /** How to get to a URL. Throws a KubestepError for a proxy that cannot be used. */
  readonly route: (url: URL) => Promise<Route>
  readonly close: () => void
}

/** Opens connections that are kept for further requests until `close`. */
export function openConnections(tls: TlsByOrigin = new Map()): Connections {
  const routes = new Map<string, Route>()
  // Most machines have none.
  const proxied = Object.entries(process.env).some(([name, value]) => /^(?:https?|all)_proxy$/i.test(name) && value)
  return {
    route: async url => {
      const proxy = proxied ? (await import('proxy-from-env')).getProxyForUrl(url.href) : ''
      const settings = tls.get(url.origin)
      const key = `${url.protocol} ${proxy} ${settings === undefined ? '' : url.origin}`
      const route = routes.get(key) ?? (await makeRoute(url.protocol === 'https:', proxy, settings))
      routes.set(key, route)
      return route
    },
    close: () => {
      for (const { agent } of routes.values()) agent.destroy()
      routes.clear()
    },
  }
}

async function makeRoute(secure: boolean, proxy: string, { ca, ...tls }: TlsSettings = {}): Promise<Route> {
  // An authority of its own stands beside the usual ones.
  const authorities = ca === undefined ? {} : { ca: [...(await import('node:tls')).rootCertificates, ...ca] }
  const options = { keepAlive: true, maxSockets: 16, ...authorities, ...tls }
  if (proxy === '') return { agent: secure ? new HttpsAgent(options) : new HttpAgent(options), proxy: '' }
  const { HttpProxyAgent, HttpsProxyAgent } = await import('hpagent')
  const address = readProxy(proxy)
  const agent = new (secure ? HttpsProxyAgent : HttpProxyAgent)({ ...options, proxy: address })
  // Its user name and password are nobody's business.
  return { agent, proxy: address.host }
}

function readProxy(proxy: string): URL {
  let url: URL | undefined
  try {
    url = new URL(proxy)
  } catch {
    // No address at all: the message below is for this, too. It may hold a password, so it is not shown.
  }
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new KubestepError(
    'components: cannot use the proxy of HTTPS_PROXY, HTTP_PROXY or ALL_PROXY: it is no http or https address; write it as in http://proxy.example.org:3128',
  )
}
