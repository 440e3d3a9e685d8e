/** Connections, direct or through the proxy that the environment names; loaded only when there is one. */
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { isIP } from 'node:net'
import { KubestepError } from '../../base/errors.ts'
import { fetchProxyFor, namesProxy, proxyAddress } from '../../base/proxy-variables.ts'

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
  const proxied = namesProxy(process.env)
  return {
    route: async url => {
      const proxy = proxied ? proxyTo(url) : undefined
      const settings = tls.get(url.origin)
      const key = `${url.protocol} ${proxy?.href ?? ''} ${settings === undefined ? '' : url.origin}`
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

async function makeRoute(secure: boolean, proxy: URL | undefined, { ca, ...tls }: TlsSettings = {}): Promise<Route> {
  // An authority of its own stands beside the usual ones.
  const authorities = ca === undefined ? {} : { ca: [...(await import('node:tls')).rootCertificates, ...ca] }
  const options = { keepAlive: true, maxSockets: 16, ...authorities, ...tls }
  if (proxy === undefined) return { agent: secure ? new HttpsAgent(options) : new HttpAgent(options), proxy: '' }
  const { HttpProxyAgent, HttpsProxyAgent } = await import('hpagent')
  const { protocol, hostname, port, username, password } = proxy
  // The library takes the host to a resolver as it is, which knows no brackets.
  const bare = { protocol, hostname: hostname.replace(/^\[(.*)\]$/, '$1'), port, username, password } as URL
  // The library names a proxy to itself in TLS, also one at an address, and Node says on the screen that one should not.
  if (protocol === 'https:' && isIP(bare.hostname) !== 0) process.noDeprecation = true
  const Agent = secure ? HttpsProxyAgent : HttpProxyAgent
  return { agent: new Agent({ ...options, proxy: bare }), proxy: proxyAddress(proxy) }
}

function proxyTo(url: URL): URL | undefined {
  const choice = fetchProxyFor(url, process.env)
  if (choice.kind !== 'fault') return choice.kind === 'proxy' ? choice.url : undefined
  throw new KubestepError(`components: cannot use the proxy of ${choice.variable}: ${choice.reason}`)
}
