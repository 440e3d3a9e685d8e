/**
 * What `config print` writes where it knows nothing, and old files carry along: values that nobody chose. A machine for
 * which they are wrong does as if they had not been said; a notice says so. What a dry run writes stays kubeadm's.
 * Source: kubeadm cmd/config.go (v1.18 to v1.36), constants_unix.go (v1.23).
 */

import { isObject, type JsonObject } from '../../base/json.ts'
import type { ComponentConfig } from '../../base/kubeadm.ts'
import { isSince } from '../../base/version.ts'
import { stringify } from '../../base/yaml.ts'
import type { HostFacts } from '../../machine/host/facts.ts'
import { type Drafts, sourceName } from './config-source.ts'
import { CONTAINERD_SOCKET } from './node-registration.ts'
import { COMPONENT_DEFAULTS, initDefaults, PLACEHOLDER_ADDRESS, PLACEHOLDER_TOKEN } from './print-defaults.ts'

/** The default before 1.24, which the kubelet itself served. */
const DOCKERSHIM = 'unix:///var/run/dockershim.sock'
const URL_SOCKETS = '1.24'

/** Where the values are put to use. */
export interface Use {
  readonly file?: string
  /** Nothing is set up: the files are written as kubeadm writes them. */
  readonly dryRun: boolean
}

export interface Settled {
  readonly drafts: Drafts
  /** Whether the runtime's socket is one that somebody chose. */
  readonly socketChosen: boolean
  readonly notices: readonly string[]
}

/** The drafts of a file without what nobody chose and this machine cannot have. */
export function settlePrintedDefaults(drafts: Drafts, facts: HostFacts, use: Use): Settled {
  const init = drafts.drafts.InitConfiguration ?? {}
  const place = `config: ${sourceName(use)}: InitConfiguration`
  const notices: string[] = []
  let settled = init
  const socket = textAt(init, 'nodeRegistration', 'criSocket')
  const address = textAt(init, 'localAPIEndpoint', 'advertiseAddress')
  const isDockershim = sameSocket(socket, DOCKERSHIM)
  const isPrinted = isDockershim || sameSocket(socket, CONTAINERD_SOCKET)
  if (isPrinted && !facts.criSockets.some(found => sameSocket(socket, found))) {
    const why = isDockershim ? 'the kubelet itself served it before 1.24' : 'nothing is there'
    const effect = use.dryRun ? 'a real run does as if it were not set' : 'it counts as not set'
    if (isDockershim || !use.dryRun) {
      notices.push(
        `${place} nodeRegistration.criSocket "${socket}" is a default that is printed, and ${why}: ${effect}`,
      )
    }
    // Before 1.24 it is what such a release writes where nobody says anything.
    const isOutdated = isDockershim && isSince(drafts.choice.kubeadm, URL_SOCKETS)
    if (isOutdated && !use.dryRun) settled = without(settled, 'nodeRegistration', 'criSocket')
  }
  const own = facts.defaultAddress.ipv4 ?? facts.defaultAddress.ipv6
  if (address === PLACEHOLDER_ADDRESS && own !== undefined && own !== address) {
    const taken = use.dryRun ? `a real run takes ${own}` : `${own} is taken`
    notices.push(
      `${place} localAPIEndpoint.advertiseAddress "${address}" stands for the address of this machine: ${taken}`,
    )
    if (!use.dryRun) settled = without(settled, 'localAPIEndpoint', 'advertiseAddress')
  }
  if (hasPlaceholderToken(init)) {
    notices.push(
      `${place} bootstrapTokens has the token of the examples, which everybody knows; leave it out to get one of your own`,
    )
  }
  return {
    drafts: {
      ...drafts,
      drafts: { ...drafts.drafts, ...(settled !== init && { InitConfiguration: settled }) },
      kubelet: chosen(drafts.kubelet, facts),
      kubeProxy: chosen(drafts.kubeProxy, facts),
    },
    socketChosen: socket !== '' && !isPrinted,
    notices,
  }
}

/** A component's configuration; none where it is word for word what `config print` writes. */
function chosen(component: ComponentConfig, facts: HostFacts): ComponentConfig {
  const { kind } = component.document
  if (!component.userSupplied || typeof kind !== 'string' || COMPONENT_DEFAULTS[kind] === undefined) return component
  const [, , printed] = initDefaults(facts, [kind])
  return stringify(component.document) === stringify(printed ?? null)
    ? { document: {}, userSupplied: false }
    : component
}

function hasPlaceholderToken({ bootstrapTokens }: JsonObject): boolean {
  return (
    Array.isArray(bootstrapTokens) && bootstrapTokens.some(item => isObject(item) && item.token === PLACEHOLDER_TOKEN)
  )
}

function sameSocket(one: string, other: string): boolean {
  const path = (socket: string): string => socket.replace(/^unix:\/\//, '').replace(/^\/var\/run\//, '/run/')
  return one !== '' && path(one) === path(other)
}

function textAt(object: JsonObject, outer: string, name: string): string {
  const inner = object[outer]
  const value = isObject(inner) ? inner[name] : undefined
  return typeof value === 'string' ? value : ''
}

function without(object: JsonObject, outer: string, name: string): JsonObject {
  const inner = object[outer]
  if (!isObject(inner)) return object
  const { [name]: _, ...rest } = inner
  return { ...object, [outer]: rest }
}
