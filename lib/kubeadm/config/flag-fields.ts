/** Which flag of the command line sets which field. Source: kubeadm cmd/init.go (v1.36) */
import { durationFault, formatDuration, parseDuration } from '../../base/duration.ts'
import { UsageError } from '../../base/errors.ts'
import type { Json, JsonObject } from '../../base/json.ts'
import type { KubeadmKind } from '../../base/kubeadm.ts'
import type { Flags, OptionName } from '../../cli/options.ts'
import type { Finding } from './findings.ts'

type Reading = 'text' | 'duration' | 'switch' | 'group' | 'integer' | 'list' | 'gates' | 'arguments'

/** The server to join, which stands behind the flags. */
export const ENDPOINT = 'api-server-endpoint'

/** Flags, and what stands behind them. */
export type GivenFlags = Flags & { readonly [ENDPOINT]?: string }

export interface FlagField<Flag = OptionName | typeof ENDPOINT> {
  readonly flag: Flag
  readonly kind: KubeadmKind
  readonly field: string
  readonly as: Reading
  /** May stand beside --config and then wins over the file; the others may not. */
  readonly besideConfig?: true
}

const INIT = 'InitConfiguration'
const CLUSTER = 'ClusterConfiguration'

export const FLAG_FIELDS: readonly FlagField<OptionName>[] = [
  { flag: 'apiserver-advertise-address', kind: INIT, field: 'localAPIEndpoint.advertiseAddress', as: 'text' },
  { flag: 'apiserver-bind-port', kind: INIT, field: 'localAPIEndpoint.bindPort', as: 'integer' },
  { flag: 'node-name', kind: INIT, field: 'nodeRegistration.name', as: 'text', besideConfig: true },
  { flag: 'cri-socket', kind: INIT, field: 'nodeRegistration.criSocket', as: 'text' },
  {
    flag: 'ignore-preflight-errors',
    kind: INIT,
    field: 'nodeRegistration.ignorePreflightErrors',
    as: 'list',
    besideConfig: true,
  },
  { flag: 'certificate-key', kind: INIT, field: 'certificateKey', as: 'text' },
  { flag: 'dry-run', kind: INIT, field: 'dryRun', as: 'switch', besideConfig: true },
  { flag: 'skip-phases', kind: INIT, field: 'skipPhases', as: 'list', besideConfig: true },
  { flag: 'patches', kind: INIT, field: 'patches.directory', as: 'text' },
  { flag: 'token', kind: INIT, field: 'bootstrapTokens.0.token', as: 'text' },
  { flag: 'token-ttl', kind: INIT, field: 'bootstrapTokens.0.ttl', as: 'duration' },
  { flag: 'kubernetes-version', kind: CLUSTER, field: 'kubernetesVersion', as: 'text' },
  { flag: 'control-plane-endpoint', kind: CLUSTER, field: 'controlPlaneEndpoint', as: 'text' },
  { flag: 'cert-dir', kind: CLUSTER, field: 'certificatesDir', as: 'text' },
  { flag: 'image-repository', kind: CLUSTER, field: 'imageRepository', as: 'text' },
  { flag: 'feature-gates', kind: CLUSTER, field: 'featureGates', as: 'gates' },
  { flag: 'service-cidr', kind: CLUSTER, field: 'networking.serviceSubnet', as: 'text' },
  { flag: 'pod-network-cidr', kind: CLUSTER, field: 'networking.podSubnet', as: 'text' },
  { flag: 'service-dns-domain', kind: CLUSTER, field: 'networking.dnsDomain', as: 'text' },
  { flag: 'apiserver-cert-extra-sans', kind: CLUSTER, field: 'apiServer.certSANs', as: 'list' },
  { flag: 'apiserver-extra-args', kind: CLUSTER, field: 'apiServer.extraArgs', as: 'arguments' },
  { flag: 'controller-manager-extra-args', kind: CLUSTER, field: 'controllerManager.extraArgs', as: 'arguments' },
  { flag: 'scheduler-extra-args', kind: CLUSTER, field: 'scheduler.extraArgs', as: 'arguments' },
]

const JOIN = 'JoinConfiguration'

/** Source: kubeadm cmd/join.go (v1.36). */
export const JOIN_FLAG_FIELDS: readonly FlagField[] = [
  { flag: 'control-plane', kind: JOIN, field: 'controlPlane', as: 'group' },
  {
    flag: 'apiserver-advertise-address',
    kind: JOIN,
    field: 'controlPlane.localAPIEndpoint.advertiseAddress',
    as: 'text',
  },
  { flag: 'apiserver-bind-port', kind: JOIN, field: 'controlPlane.localAPIEndpoint.bindPort', as: 'integer' },
  { flag: 'certificate-key', kind: JOIN, field: 'controlPlane.certificateKey', as: 'text' },
  { flag: 'node-name', kind: JOIN, field: 'nodeRegistration.name', as: 'text', besideConfig: true },
  { flag: 'cri-socket', kind: JOIN, field: 'nodeRegistration.criSocket', as: 'text' },
  {
    flag: 'ignore-preflight-errors',
    kind: JOIN,
    field: 'nodeRegistration.ignorePreflightErrors',
    as: 'list',
    besideConfig: true,
  },
  { flag: 'dry-run', kind: JOIN, field: 'dryRun', as: 'switch', besideConfig: true },
  { flag: 'skip-phases', kind: JOIN, field: 'skipPhases', as: 'list', besideConfig: true },
  { flag: 'patches', kind: JOIN, field: 'patches.directory', as: 'text' },
  { flag: 'discovery-file', kind: JOIN, field: 'discovery.file.kubeConfigPath', as: 'text' },
  { flag: ENDPOINT, kind: JOIN, field: 'discovery.bootstrapToken.apiServerEndpoint', as: 'text' },
  { flag: 'discovery-token', kind: JOIN, field: 'discovery.bootstrapToken.token', as: 'text' },
  { flag: 'discovery-token-ca-cert-hash', kind: JOIN, field: 'discovery.bootstrapToken.caCertHashes', as: 'list' },
  {
    flag: 'discovery-token-unsafe-skip-ca-verification',
    kind: JOIN,
    field: 'discovery.bootstrapToken.unsafeSkipCAVerification',
    as: 'switch',
  },
  { flag: 'tls-bootstrap-token', kind: JOIN, field: 'discovery.tlsBootstrapToken', as: 'text' },
]

/** Throws a UsageError naming all flags that say what a configuration file has to say. Source: kubeadm ValidateMixedArguments. */
export function refuseMixedFlags(flags: GivenFlags, rows: readonly FlagField[] = FLAG_FIELDS): void {
  const mixed = rows.filter(row => !row.besideConfig && flags[row.flag] !== undefined)
  if (mixed.length === 0) return
  const names = mixed.map(row => `--${row.flag}`).join(', ')
  const fields = mixed.map(row => row.field).join(', ')
  throw new UsageError(`config: cannot use --config together with ${names}: the file decides; set ${fields} there`)
}

export interface FlagDocuments {
  /** Documents of v1beta4, as if the user had written what the flags say. */
  readonly documents: Readonly<Partial<Record<KubeadmKind, JsonObject>>>
  /** Flag that set a field, by kind and field. */
  readonly fields: Readonly<Partial<Record<KubeadmKind, Readonly<Record<string, string>>>>>
  readonly findings: readonly Finding[]
}

/** What the flags that were given set. */
export function readFlags(flags: GivenFlags, rows: readonly FlagField[] = FLAG_FIELDS): FlagDocuments {
  const documents: Partial<Record<KubeadmKind, JsonObject>> = {}
  const fields: Partial<Record<KubeadmKind, Record<string, string>>> = {}
  const findings: Finding[] = []
  for (const { flag, kind, field, as } of rows) {
    const given = flags[flag]
    if (given === undefined || given === '') continue
    fields[kind] = { ...fields[kind], [field]: flag }
    const read = READERS[as](String(given))
    if ('reason' in read) findings.push({ kind, field, value: String(given), reason: read.reason })
    else documents[kind] = setField(documents[kind] ?? {}, field.split('.'), read.value)
  }
  return { documents, fields, findings }
}

type Read = { readonly value: Json } | { readonly reason: string }

const READERS: Readonly<Record<Reading, (text: string) => Read>> = {
  text: text => ({ value: text }),
  duration: text => {
    const reason = durationFault(text)
    return reason === undefined ? { value: formatDuration(parseDuration(text)) } : { reason }
  },
  switch: text => ({ value: text === 'true' }),
  // What is in it is set by other flags.
  group: text => ({ value: text === 'true' ? {} : null }),
  integer: text =>
    /^-?\d{1,10}$/.test(text) ? { value: Number(text) } : { reason: 'it is not a whole number; write digits only' },
  list: text => ({ value: items(text) }),
  gates: readGates,
  arguments: readArguments,
}

function items(text: string): string[] {
  return text.split(',').filter(item => item !== '')
}

// Source: kubeadm features.NewFeatureGate; Go's ParseBool knows more words than true and false.
const BOOLEANS: Readonly<Record<string, boolean>> = { 1: true, t: true, true: true, 0: false, f: false, false: false }

function readGates(text: string): Read {
  const gates: Record<string, boolean> = {}
  for (const item of items(text)) {
    const [, name = '', value = ''] = /^([^=]*)=(.*)$/s.exec(item) ?? []
    const boolean = BOOLEANS[value.trim().toLowerCase()]
    if (boolean === undefined)
      return { reason: `${JSON.stringify(item)} is neither NAME=true nor NAME=false; correct it` }
    gates[name.trim()] = boolean
  }
  return { value: gates }
}

function readArguments(text: string): Read {
  const malformed = items(text).find(item => item.split('=').length !== 2)
  if (malformed !== undefined) {
    return {
      reason: `${JSON.stringify(malformed)} is not NAME=VALUE; use a configuration file for values with "," or "="`,
    }
  }
  return { value: items(text).map(item => ({ name: item.split('=')[0] ?? '', value: item.split('=')[1] ?? '' })) }
}

// A number in the path is the place in a list; only the first item of one can be set by a flag.
function setField(object: JsonObject, path: readonly string[], value: Json): JsonObject {
  const [key = '', ...rest] = path
  if (rest.length === 0) return { ...object, [key]: value }
  const inner = object[key]
  if (rest[0] === '0') {
    const first = Array.isArray(inner) ? (inner[0] as JsonObject) : {}
    return { ...object, [key]: [setField(first, rest.slice(1), value)] }
  }
  return { ...object, [key]: setField((inner ?? {}) as JsonObject, rest, value) }
}
