/** Addresses of API servers: the local one, the common one, `host:port` in general. */
import {
  formatAddress,
  isGlobalUnicast,
  isLoopback,
  isUnspecified,
  joinHostPort,
  parseAddress,
} from '../../base/address.ts'
import { isSubdomain, SUBDOMAIN_RULE } from '../../base/dns-names.ts'
import type { ApiEndpoint } from '../../base/kubeadm.ts'
import type { Context, Draft } from './draft-config.ts'
import type { Checked, Finding } from './findings.ts'

const DEFAULT_PORT = 6443
const LARGEST_PORT = 65535
const UNKNOWN_ADDRESS = '0.0.0.0'

/** Where the API server of this node listens. Source: kubeadm SetAPIEndpointDynamicDefaults, ValidateAPIEndpoint (v1.36). */
export function completeEndpoint(
  draft: Draft<ApiEndpoint> | null | undefined,
  place: { readonly kind: string; readonly field: string },
  context: Context,
): Checked<ApiEndpoint> {
  const port = { ...place, field: `${place.field}.bindPort` }
  const bindPort = draft?.bindPort || DEFAULT_PORT
  const address = completeAddress(draft?.advertiseAddress ?? '', place, context)
  const portFindings = isPort(bindPort)
    ? []
    : [{ ...port, value: `${bindPort}`, reason: `it is not a valid port number; use 1 to ${LARGEST_PORT}` }]
  return {
    value: { advertiseAddress: address.value, bindPort },
    findings: [...address.findings, ...portFindings],
    notices: address.notices,
  }
}

function completeAddress(
  given: string,
  { kind, field }: { readonly kind: string; readonly field: string },
  { facts, serviceFamily }: Context,
): Checked<string> {
  const place = { kind, field: `${field}.advertiseAddress` }
  const address = parseAddress(given)
  if (address === undefined && given !== '') {
    const reason = 'it is neither an IPv4 nor an IPv6 address; write one, names are not possible here'
    return { value: given, findings: [{ ...place, value: given, reason }], notices: [] }
  }
  if (address !== undefined && isLoopback(address)) {
    const { ipv4, ipv6 } = facts.loopbackAddress
    const reason =
      'a loopback address stands for a global one of lo, and lo has none; write an address others can reach'
    const none = ipv4 === undefined && ipv6 === undefined
    return { value: ipv4 ?? ipv6 ?? given, findings: none ? [{ ...place, value: given, reason }] : [], notices: [] }
  }
  if (address !== undefined && !isUnspecified(address)) {
    return { value: formatAddress(address), findings: [], notices: [] }
  }
  const { ipv4, ipv6 } = facts.defaultAddress
  // kubeadm takes IPv4 before IPv6 whatever the Services are, and then the API server does not start.
  const family = serviceFamily ?? address?.family ?? 4
  const found = family === 6 ? (ipv6 ?? ipv4) : (ipv4 ?? ipv6)
  if (found !== undefined) return { value: found, findings: [], notices: [] }
  const notice = `config: ${kind} ${place.field}: the host has no default route to take an address from; using ${UNKNOWN_ADDRESS}`
  return { value: UNKNOWN_ADDRESS, findings: [], notices: [notice] }
}

/** Whether others can reach an API server there; asked before a real or dry run. Source: kubeadm VerifyAPIServerBindAddress (v1.36). */
export function checkBindAddress(kind: string, field: string, text: string): Finding[] {
  const address = parseAddress(text)
  if (address === undefined || isLoopback(address) || isGlobalUnicast(address)) return []
  const reason =
    'the API server cannot be reached at it; give an address of this host, here or with --apiserver-advertise-address'
  return [{ kind, field: `${field}.advertiseAddress`, value: text, reason }]
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= LARGEST_PORT
}

/** `controlPlaneEndpoint` with its port. Source: kubeadm SetClusterDynamicDefaults, ParseHostPort (v1.36). */
export function completeControlPlaneEndpoint(given: string, bindPort: number): Checked<string | undefined> {
  if (given === '') return { value: undefined, findings: [], notices: [] }
  const place = { kind: 'ClusterConfiguration', field: 'controlPlaneEndpoint', value: given }
  const parts = splitHostPort(given)
  const { host, port } = 'reason' in parts ? { host: given, port: '' } : parts
  if (port !== '' && !(/^\d+$/.test(port) && isPort(Number(port)))) {
    const reason = `the port ${JSON.stringify(port)} is not a number from 1 to ${LARGEST_PORT}; write it like "cp.example.com:6443"`
    return { value: given, findings: [{ ...place, reason }], notices: [] }
  }
  if (parseAddress(host) === undefined && !isSubdomain(host)) {
    const reason = `the host ${JSON.stringify(host)} is neither an IP address nor a DNS name: ${SUBDOMAIN_RULE}`
    return { value: given, findings: [{ ...place, reason }], notices: [] }
  }
  return { value: port === '' ? joinHostPort(host, bindPort) : given, findings: [], notices: [] }
}

/** The parts of `host:port` or `[ipv6]:port`, or why there are none. Source: Go's net.SplitHostPort. */
export function splitHostPort(
  text: string,
): { readonly host: string; readonly port: string } | { readonly reason: string } {
  const colon = text.lastIndexOf(':')
  if (colon === -1) return { reason: 'the port is missing' }
  const [, bracketed, rest = ''] = /^\[([^\]]*)\](.*)$/s.exec(text) ?? []
  if (text.startsWith('[')) {
    if (bracketed === undefined) return { reason: "the ']' is missing" }
    if (!rest.startsWith(':')) return { reason: 'the port is missing' }
    if (rest.lastIndexOf(':') > 0) return { reason: 'it has too many colons' }
  }
  const host = bracketed ?? text.slice(0, colon)
  if (bracketed === undefined && host.includes(':')) return { reason: 'it has too many colons' }
  if (/[[\]]/.test(bracketed === undefined ? text : `${host}${rest}`)) return { reason: 'it has a misplaced bracket' }
  return { host, port: text.slice(colon + 1) }
}
