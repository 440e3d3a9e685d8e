/**
 * Answers to a registry's question who is asking: a token, anonymous or for the user's login, or the login itself.
 * Each goes to the host that asked and no further. Source: OCI distribution-spec 1.1; distribution's token and
 * OAuth 2 specifications; RFC 7617.
 */
import type { JsonObject } from '../../base/json.ts'
import { TransferError } from '../fetch/fetch-failure.ts'
import { readAll, statusError } from '../fetch/http-answer.ts'
import type { Answer, HeadersFor, Network } from '../fetch/network.ts'
import type { Endpoint } from './registry-endpoints.ts'
import type { Credentials, FindCredentials } from './registry-logins.ts'

export interface Asker {
  readonly endpoints: readonly Endpoint[]
  readonly repository: string
  readonly findCredentials: FindCredentials
}

/** The same network, which meets a 401 with what it asks for, once for each token. */
export function authorized(network: Network, { endpoints, repository, findCredentials }: Asker): Network {
  const tokens = new Map<string, string>()
  const renewing = new Map<string, Promise<void>>()
  const fixed = new Map(endpoints.map(({ base, headers }) => [new URL(base).origin, headers]))
  const renew = async (refusal: Answer): Promise<void> => {
    const { origin, host } = refusal.url
    const credentials = await findCredentials(host, repository)
    const value = await answerTo(refusal, credentials, network)
    if (value === undefined) tokens.delete(origin)
    else tokens.set(origin, value)
  }
  return {
    ...network,
    get: async (url, headers: HeadersFor = () => ({})) => {
      const sent = new Map<string, string | undefined>()
      const ask = (): Promise<Answer> =>
        network.get(url, to => {
          const token = tokens.get(to.origin)
          sent.set(to.origin, token)
          return { ...fixed.get(to.origin), ...headers(to), ...(token !== undefined && { authorization: token }) }
        })
      const answer = await ask()
      if (answer.status !== 401) return answer
      answer.discard()
      const { origin } = answer.url
      // Many requests may be refused at the same time; one of them asks for a new token.
      if (tokens.get(origin) === sent.get(origin)) {
        const pending = renewing.get(origin) ?? renew(answer).finally(() => renewing.delete(origin))
        renewing.set(origin, pending)
        await pending
      }
      return tokens.has(origin) ? ask() : answer
    },
  }
}

/** The value of the header that a 401 asks for; undefined when there is nothing to say. Throws a TransferError. */
async function answerTo(
  refusal: Answer,
  credentials: Credentials | undefined,
  network: Network,
): Promise<string | undefined> {
  const challenge = refusal.header('www-authenticate') ?? ''
  const basic = credentials === undefined || credentials.username === '' ? undefined : basicHeader(credentials)
  if (/^Basic\b/i.test(challenge)) return basic
  const parameters = new Map(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key.toLowerCase(), value]),
  )
  const realm = parameters.get('realm')
  if (!/^Bearer\b/i.test(challenge) || realm === undefined || !URL.canParse(realm)) return undefined
  const url = new URL(realm)
  const question = new URLSearchParams(
    ['service', 'scope'].flatMap(key => {
      const value = parameters.get(key)
      return value === undefined ? [] : [[key, value] satisfies [string, string]]
    }),
  )
  // A login does not leave an encrypted connection for a plain one.
  const safe = url.protocol === 'https:' || refusal.url.protocol === 'http:'
  if (credentials?.identityToken !== undefined && safe) {
    const form = new URLSearchParams(question)
    form.set('grant_type', 'refresh_token')
    form.set('refresh_token', credentials.identityToken)
    form.set('client_id', 'kubestep')
    return bearer(await network.get(url.href, () => ({}), form), credentials)
  }
  for (const [key, value] of question) url.searchParams.append(key, value)
  const header = safe && basic !== undefined ? { authorization: basic } : undefined
  const toRealm: HeadersFor = to => (to.origin === url.origin ? (header ?? {}) : {})
  return bearer(await network.get(url.href, toRealm), header === undefined ? undefined : credentials)
}

function basicHeader({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

async function bearer(answer: Answer, credentials: Credentials | undefined): Promise<string> {
  const { host } = answer.url
  if (answer.status !== 200) {
    answer.discard()
    if (credentials === undefined || ![400, 401, 403].includes(answer.status)) throw statusError(answer)
    throw new TransferError(host, `it does not accept the login from ${credentials.source}`, {
      again: false,
      reached: true,
    })
  }
  const text = Buffer.from(await readAll(answer)).toString()
  const token = tokenIn(text)
  if (token !== undefined) return `Bearer ${token}`
  throw new TransferError(host, 'it gives no token', { again: true, reached: true })
}

function tokenIn(text: string): string | undefined {
  try {
    const { token, access_token: access } = JSON.parse(text) as JsonObject
    return [token, access].filter(value => typeof value === 'string' && value !== '').map(String)[0]
  } catch {
    return undefined
  }
}
