/** Why there is no cluster-info to be had, in words. */
import { KubestepError, reasonOf } from '../../base/errors.ts'
import { clockText } from './clock.ts'

/** `refused`: by the right server, as far as one can tell; `hopeless`: there is none. Only what is unreachable may come. */
export type InfoFault = 'unreachable' | 'refused' | 'hopeless' | 'foreign-ca' | 'clock'

export class InfoError extends KubestepError {
  override readonly name: string = 'InfoError'
  readonly fault: InfoFault

  constructor(message: string, fault: InfoFault, options?: ErrorOptions) {
    super(message, options)
    this.fault = fault
  }
}

/** Who was asked, and what is known of it. */
export interface Asked {
  readonly server: string
  readonly limitMs: number
  /** What the wait was for when the time was up; undefined when something else was wrong. */
  readonly late?: 'name' | 'server' | undefined
  /** Whether it is known by a CA that was given, and not by those that everybody trusts. */
  readonly hasCa?: boolean
  /** What it said of its clock when nobody knew who it was. */
  readonly date?: Date | undefined
}

/** What to do about a server that is none. */
export const STRANGE = 'is that the port of an API server?'

const CLOCK = "by this machine's clock"

/** What an error of the connection means, by its code. */
const CONNECTION: readonly (readonly [
  code: RegExp,
  fault: InfoFault,
  words: (asked: Asked, code: string) => string,
])[] = [
  [/^ECONNREFUSED$/, 'unreachable', () => 'nothing listens there; is the port right, and does the API server run?'],
  [
    /^(?:ENOTFOUND|EAI_AGAIN|EAI_NONAME)$/,
    'unreachable',
    () => 'this name has no address; correct it, or see to the name server',
  ],
  [
    /^(?:EHOSTUNREACH|ENETUNREACH|ETIMEDOUT)$/,
    'unreachable',
    () => 'there is no way to this address; is it right, is the machine up?',
  ],
  [
    /^ECONNRESET$/,
    'unreachable',
    () => 'the connection was cut; is a firewall or a balancer without servers in between?',
  ],
  [
    /^ERR_INVALID_URL$/,
    'hopeless',
    () => 'it is no address; write it like "cp.example.com:6443", one of IPv6 in brackets and without a zone',
  ],
  [
    /^CERT_NOT_YET_VALID$/,
    'clock',
    ({ date }) => `its certificate is not valid yet ${CLOCK}${clockText(date)}; set that`,
  ],
  [
    /^CERT_HAS_EXPIRED$/,
    'clock',
    ({ date }) => `its certificate has expired ${CLOCK}${clockText(date)}; set that, or renew the certificate`,
  ],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    'hopeless',
    () => 'its certificate is not for this name; use one that stands in it, or init with --apiserver-cert-extra-sans',
  ],
  [
    /^(?:SELF_SIGNED|DEPTH_ZERO|UNABLE_TO|CERT_)/,
    'foreign-ca',
    ({ hasCa, date }, code) => {
      if (!hasCa)
        return `no CA that everybody trusts has signed its certificate (${code}); name its CA in the discovery file`
      // Deno says the same of a certificate that is not valid yet.
      const off = clockText(date)
      const clock = off === '' ? '' : `; or see to this machine's clock${off}`
      return `another CA has signed its certificate (${code}): somebody stands between; do not trust this network${clock}`
    },
  ],
  [/^ERR_OSSL_/, 'hopeless', (_asked, code) => `the client certificate and its key cannot be used (${code})`],
  [/SSL|EPROTO|TLS/, 'hopeless', (_asked, code) => `its TLS is not that of an API server (${code}); ${STRANGE}`],
  [/^HPE_/, 'hopeless', (_asked, code) => `what it says is no HTTP (${code}); ${STRANGE}`],
]

/** The error for a connection that failed, or gave no answer. */
export function connectionError(error: unknown, asked: Asked): InfoError {
  const { server, late, limitMs } = asked
  const code = String((error as NodeJS.ErrnoException).code ?? '')
  const say = (reason: string, fault: InfoFault): InfoError =>
    new InfoError(`discovery: cannot reach "${server}": ${reason}`, fault, { cause: error })
  // A name server that is silent once is so again, and its silence cannot be cut short.
  if (late === 'name')
    return say(
      `no name server tells its address within ${limitMs / 1000} s; see to that, or use an address`,
      'hopeless',
    )
  if (late === 'server')
    return say(`no answer within ${limitMs / 1000} s; is the address right, is a firewall in between?`, 'unreachable')
  const [, fault, words] = CONNECTION.find(([codes]) => codes.test(code)) ?? []
  return fault === undefined || words === undefined
    ? say(`${reasonOf(error)}; ${STRANGE}`, 'hopeless')
    : say(words(asked, code), fault)
}
