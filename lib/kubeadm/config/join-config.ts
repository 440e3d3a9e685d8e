/** JoinConfiguration: defaults and checks. Source: kubeadm v1beta4/defaults.go, ValidateJoinConfiguration (v1.36). */

import { parseUrl } from '../../base/go/url-parts.ts'
import type { ApiEndpoint, Timeouts } from '../../base/kubeadm.ts'
import { KUBERNETES } from '../../base/paths.ts'
import { parseToken, TOKEN_RULE } from '../../base/token.ts'
import { completeEndpoint, splitHostPort } from './api-endpoint.ts'
import type { Context, Draft } from './draft-config.ts'
import type { Checked, Finding } from './findings.ts'
import { checkCertificateKey } from './init-config.ts'
import { completeNode, type JoiningNode } from './node-registration.ts'
import { completeTimeouts } from './timeouts.ts'

export interface TokenDiscovery {
  /** `id.secret`. Never printed into logs. */
  readonly token: string
  /** `host:port`. */
  readonly apiServerEndpoint?: string
  /** `sha256:` and the hash of a CA's public key. */
  readonly caCertHashes?: readonly string[]
  readonly unsafeSkipCAVerification?: boolean
}

export interface Discovery {
  readonly bootstrapToken?: TokenDiscovery
  readonly file?: { readonly kubeConfigPath: string }
  readonly tlsBootstrapToken?: string
}

export interface JoinConfiguration {
  readonly dryRun?: boolean
  readonly nodeRegistration: JoiningNode
  readonly caCertPath: string
  readonly discovery: Discovery
  /** Absent on workers. */
  readonly controlPlane?: { readonly localAPIEndpoint: ApiEndpoint; readonly certificateKey?: string }
  readonly skipPhases?: readonly string[]
  readonly patches?: { readonly directory?: string }
  readonly timeouts: Timeouts
}

const KIND = 'JoinConfiguration'

/** Whether there is such a file on the host. */
export type Exists = (path: string) => boolean

/** The configuration with kubeadm's defaults and the host's facts, and all that is wrong with it. */
export function completeJoin(
  draft: Draft<JoinConfiguration>,
  context: Context,
  exists?: Exists,
): Checked<JoinConfiguration> {
  const role = { kind: KIND, field: 'nodeRegistration', controlPlane: Boolean(draft.controlPlane) }
  const node = completeNode(draft.nodeRegistration, role, context)
  const controlPlane = draft.controlPlane ? completeControlPlane(draft.controlPlane, context) : undefined
  const discovery = completeDiscovery(draft.discovery ?? {})
  const caCertPath = draft.caCertPath || KUBERNETES.authority
  const value: JoinConfiguration = {
    ...(draft.dryRun && { dryRun: true }),
    nodeRegistration: node.value,
    caCertPath,
    discovery,
    ...(controlPlane && { controlPlane: controlPlane.value }),
    ...(draft.skipPhases?.length && { skipPhases: draft.skipPhases }),
    ...(draft.patches && { patches: draft.patches as NonNullable<JoinConfiguration['patches']> }),
    timeouts: completeTimeouts(draft.timeouts),
  }
  return {
    value,
    findings: [
      ...checkDiscovery(discovery, exists),
      ...node.findings,
      ...(controlPlane?.findings ?? []),
      ...checkCaCert(caCertPath),
    ],
    notices: [...node.notices, ...(controlPlane?.notices ?? [])],
  }
}

function completeControlPlane(
  draft: Draft<NonNullable<JoinConfiguration['controlPlane']>>,
  context: Context,
): Checked<NonNullable<JoinConfiguration['controlPlane']>> {
  const place = { kind: KIND, field: 'controlPlane.localAPIEndpoint' }
  const endpoint = completeEndpoint(draft.localAPIEndpoint, place, context)
  const key = draft.certificateKey || undefined
  return {
    value: { localAPIEndpoint: endpoint.value, ...(key && { certificateKey: key }) },
    findings: [...endpoint.findings, ...checkCertificateKey(KIND, 'controlPlane.certificateKey', key)],
    notices: endpoint.notices,
  }
}

function completeDiscovery(draft: Draft<Discovery>): Discovery {
  const { bootstrapToken, file } = draft
  const tlsBootstrapToken = draft.tlsBootstrapToken || bootstrapToken?.token
  return {
    ...(bootstrapToken && { bootstrapToken: bootstrapToken as TokenDiscovery }),
    ...(file && { file: { kubeConfigPath: withoutFileScheme(file.kubeConfigPath ?? '') } }),
    ...(tlsBootstrapToken && { tlsBootstrapToken }),
  }
}

function withoutFileScheme(path: string): string {
  const url = parseUrl(path)
  return 'scheme' in url && url.scheme === 'file' ? url.path : path
}

function checkDiscovery({ bootstrapToken, file, tlsBootstrapToken }: Discovery, exists?: Exists): Finding[] {
  const field = 'discovery'
  const findings: Finding[] = []
  if (!bootstrapToken && !file)
    findings.push({ kind: KIND, field, reason: 'bootstrapToken or file must be set; add one' })
  if (bootstrapToken && file) {
    findings.push({ kind: KIND, field, reason: 'bootstrapToken and file cannot both be set; keep one of them' })
  }
  if (bootstrapToken) findings.push(...checkTokenDiscovery(bootstrapToken))
  if (bootstrapToken || tlsBootstrapToken) {
    findings.push(...checkToken('discovery.tlsBootstrapToken', tlsBootstrapToken ?? ''))
  }
  return [...findings, ...(file ? checkDiscoveryFile(file.kubeConfigPath, exists) : [])]
}

function checkTokenDiscovery(discovery: TokenDiscovery): Finding[] {
  const { token, apiServerEndpoint = '', caCertHashes = [], unsafeSkipCAVerification } = discovery
  const hashes = {
    kind: KIND,
    field: 'discovery.bootstrapToken.caCertHashes',
    reason:
      'without them a wrong API server would be trusted; give them, or set unsafeSkipCAVerification (--discovery-token-unsafe-skip-ca-verification)',
  }
  return [
    ...(caCertHashes.length > 0 || unsafeSkipCAVerification ? [] : [hashes]),
    ...checkToken('discovery.bootstrapToken.token', token),
    ...checkApiServer(apiServerEndpoint),
  ]
}

function checkApiServer(endpoint: string): Finding[] {
  const field = 'discovery.bootstrapToken.apiServerEndpoint'
  const advice = 'write it like "cp.example.com:6443"'
  if (endpoint === '') return [{ kind: KIND, field, reason: `it is not set; ${advice}` }]
  const parts = splitHostPort(endpoint)
  return 'reason' in parts ? [{ kind: KIND, field, value: endpoint, reason: `${parts.reason}; ${advice}` }] : []
}

function checkToken(field: string, token: string): Finding[] {
  return parseToken(token) === undefined ? [{ kind: KIND, field, reason: `${TOKEN_RULE}; correct it` }] : []
}

function checkDiscoveryFile(path: string, exists?: Exists): Finding[] {
  const place = { kind: KIND, field: 'discovery.file.kubeConfigPath', value: path }
  const url = parseUrl(path)
  const neither = { ...place, reason: 'it is neither an https URL nor a file on this host; correct the path' }
  if ('reason' in url) return [neither]
  if (url.scheme === '') return exists === undefined || exists(path) ? [] : [neither]
  return url.scheme === 'https' ? [] : [{ ...place, reason: 'of URLs only https ones are taken; use one' }]
}

function checkCaCert(path: string): Finding[] {
  if (path.startsWith('/') && path.endsWith('.crt')) return []
  const reason = 'the CA certificate path must be absolute and end in ".crt"; correct it'
  return [{ kind: KIND, field: 'caCertPath', value: path, reason }]
}
