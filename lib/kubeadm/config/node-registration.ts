/** `nodeRegistration`: the node's name, its runtime's socket, taints. */
import { subdomainFault } from '../../base/dns-names.ts'
import { parseUrl } from '../../base/go/url-parts.ts'
import type { NodeRegistration, Taint } from '../../base/kubeadm.ts'
import { isSince, type Since, type Version, valueSince } from '../../base/version.ts'
import type { Context, Draft } from './draft-config.ts'
import { checkArguments } from './extra-args.ts'
import type { Checked, Finding } from './findings.ts'

/** Of a node whose taints nobody wrote: null is printed, and means none on workers. */
export type JoiningNode = Omit<NodeRegistration, 'taints'> & { readonly taints: readonly Taint[] | null }

/** Source: kubeadm util/config/initconfiguration.go (v1.23: the old taint, v1.24: both, v1.25: the new one). */
const CONTROL_PLANE_TAINTS: Since<readonly Taint[]> = {
  '1.18': [taint('master')],
  '1.24': [taint('master'), taint('control-plane')],
  '1.25': [taint('control-plane')],
}

function taint(role: string): Taint {
  return { effect: 'NoSchedule', key: `node-role.kubernetes.io/${role}` }
}

/** The first release that wants sockets as URLs, and does without dockershim. Source: kubeadm constants_unix.go (v1.23, v1.24). */
const SOCKET_URLS = '1.24'

export const CONTAINERD_SOCKET = 'unix:///var/run/containerd/containerd.sock'

/** Sockets as releases before URLs wrote them. Source: kubeadm util/runtime/runtime_unix.go (v1.23). */
const FORMER_SOCKETS: Readonly<Record<string, string>> = { [CONTAINERD_SOCKET]: '/run/containerd/containerd.sock' }

export const PULL_POLICIES: readonly string[] = ['Always', 'IfNotPresent', 'Never']

export interface NodeRole {
  /** Kind and field that hold the registration. */
  readonly kind: string
  readonly field: string
  readonly controlPlane: boolean
}

/** Defaults from the host, and every check of kubeadm's ValidateNodeRegistrationOptions (v1.36). */
export function completeNode(
  draft: Draft<JoiningNode> | null | undefined,
  role: NodeRole,
  context: Context,
): Checked<JoiningNode> {
  const { kind, field } = role
  const name = (draft?.name || context.facts.hostname).trim().toLowerCase()
  const socket = completeSocket(draft?.criSocket || undefined, { kind, field: `${field}.criSocket` }, context)
  const value = {
    ...draft,
    name,
    criSocket: socket.value,
    taints: (draft?.taints as readonly Taint[] | null | undefined) ?? defaultTaints(role, context.kubeadm),
    imagePullPolicy: draft?.imagePullPolicy || 'IfNotPresent',
    imagePullSerial: draft?.imagePullSerial ?? true,
  } as JoiningNode
  const findings = [
    ...checkName(name, kind, field),
    ...socket.findings,
    ...checkArguments(kind, `${field}.kubeletExtraArgs`, value.kubeletExtraArgs),
    ...checkPullPolicy(kind, `${field}.imagePullPolicy`, value.imagePullPolicy),
  ]
  return { value, findings, notices: socket.notices }
}

/** The taints that keep ordinary Pods off a control plane node. */
export function controlPlaneTaints(kubeadm: Version): readonly Taint[] {
  return valueSince(CONTROL_PLANE_TAINTS, kubeadm) ?? []
}

function defaultTaints({ controlPlane }: NodeRole, kubeadm: Version): readonly Taint[] | null {
  return controlPlane ? controlPlaneTaints(kubeadm) : null
}

function checkName(name: string, kind: string, field: string): Finding[] {
  if (name === '') {
    const reason = 'the node has no name and the host neither; give one here or with --node-name'
    return [{ kind, field: `${field}.name`, reason }]
  }
  const reason = subdomainFault(name)
  return reason === undefined ? [] : [{ kind, field: `${field}.name`, value: name, reason }]
}

/** The socket to use. Source: kubeadm SetNodeRegistrationDynamicDefaults, DetectCRISocket, ValidateSocketPath (v1.36). */
export function completeSocket(
  given: string | undefined,
  place: { readonly kind: string; readonly field: string },
  { facts, kubeadm, detectCriSocket }: Context,
): Checked<string> {
  const asUrl = isSince(kubeadm, SOCKET_URLS)
  if (given === undefined) {
    const found = detectCriSocket ? facts.criSockets : []
    const socket = found[0] ?? (asUrl ? CONTAINERD_SOCKET : '/var/run/dockershim.sock')
    const value = asUrl ? socket : (FORMER_SOCKETS[socket] ?? socket.replace(/^unix:\/\//, ''))
    // kubeadm refuses here; runners have Docker's containerd beside another runtime, so the order of its list decides.
    const several = `config: ${place.kind} ${place.field}: the host has more than one runtime, "${value}" is taken; write one of ${found.join(', ')}`
    return { value, findings: [], notices: found.length > 1 ? [several] : [] }
  }
  if (given.startsWith('unix') || !asUrl) {
    return { value: given, findings: checkSocket(given, place, asUrl), notices: [] }
  }
  const value = `unix://${given}`
  const notice = `config: ${place.kind} ${place.field} "${given}" is taken as "${value}": sockets without "unix://" are deprecated; write the URL`
  return { value, findings: checkSocket(value, place, asUrl), notices: [notice] }
}

function checkSocket(socket: string, place: { kind: string; field: string }, asUrl: boolean): Finding[] {
  const url = parseUrl(socket)
  const advice = `write it like "${CONTAINERD_SOCKET}"`
  if ('reason' in url) return [{ ...place, value: socket, reason: `it is not a URL: ${url.reason}; ${advice}` }]
  if (url.scheme === 'unix' || (!asUrl && url.scheme === '' && url.path.startsWith('/'))) return []
  const reason = `only the URL scheme "unix" is supported, got "${url.scheme}"; ${advice}`
  return [{ ...place, value: socket, reason }]
}

/** Source: kubeadm ValidateImagePullPolicy (v1.36). */
export function checkPullPolicy(kind: string, field: string, policy: string | undefined): Finding[] {
  if (!policy || PULL_POLICIES.includes(policy)) return []
  return [{ kind, field, value: policy, reason: `it is an invalid pull policy; use ${PULL_POLICIES.join(', ')}` }]
}
