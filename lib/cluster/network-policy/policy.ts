/** NetworkPolicies, and what of Pods and Namespaces they go by, read from objects of the API. */
import { formatAddress, formatSubnet, parseAddress, parseSubnet } from '../../base/address.ts'
import { type JsonObject, objectOf, objectsOf } from '../../base/json.ts'
import type { AddressBlock, Protocol } from '../../machine/network/policy-table.ts'
import { type LabelSelector, type Labels, labelSelector, labelsOf } from './label-selector.ts'

export interface PolicyNamespace {
  readonly name: string
  readonly labels: Labels
}

export interface NamedPort {
  readonly name: string
  readonly protocol: Protocol
  readonly port: number
}

export interface PolicyPod {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly since: string
  readonly labels: Labels
  /** None while it has none, when it has ended, and where it has those of its node. */
  readonly addresses: readonly string[]
  readonly ports: readonly NamedPort[]
  /** Whether it will have an address of its own, or has it. */
  readonly isOpen: boolean
}

export interface PodPeer {
  /** Absent: the policy's own. */
  readonly namespaces?: LabelSelector
  readonly pods: LabelSelector
}

export interface PolicyPort {
  readonly protocol: Protocol
  /** A number or the name of a container's port; absent: every port of the protocol. */
  readonly port?: number | string
  readonly last?: number
}

export interface PolicyRule {
  /** Absent: everybody. */
  readonly pods?: readonly PodPeer[]
  readonly blocks?: readonly AddressBlock[]
  /** Absent: every port. */
  readonly ports?: readonly PolicyPort[]
}

export interface Policy {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly selector: LabelSelector
  /** Absent: it says nothing of that direction. */
  readonly ingress?: readonly PolicyRule[]
  readonly egress?: readonly PolicyRule[]
}

export function policyNamespace(object: JsonObject): PolicyNamespace {
  return { name: String(objectOf(object.metadata).name), labels: labelsOf(object) }
}

/** Source: core/v1 types.go, PodStatus (v1.18 to v1.36): podIPs came with 1.16. */
export function policyPod(object: JsonObject): PolicyPod {
  const [metadata, spec, status] = [objectOf(object.metadata), objectOf(object.spec), objectOf(object.status)]
  const isOpen = spec.hostNetwork !== true && status.phase !== 'Succeeded' && status.phase !== 'Failed'
  const addresses = [...objectsOf(status.podIPs).map(({ ip }) => ip), status.podIP].flatMap(normalAddress)
  const containers = [...objectsOf(spec.containers), ...objectsOf(spec.initContainers)]
  return {
    namespace: String(metadata.namespace),
    name: String(metadata.name),
    uid: String(metadata.uid),
    since: String(metadata.creationTimestamp),
    labels: labelsOf(object),
    addresses: isOpen ? [...new Set(addresses)] : [],
    ports: containers.flatMap(({ ports }) =>
      objectsOf(ports)
        .filter(({ name }) => name !== undefined)
        .map(({ name, protocol, containerPort }) => ({
          name: String(name),
          protocol: protocolOf(protocol),
          port: Number(containerPort),
        })),
    ),
    isOpen,
  }
}

/** Source: networking/v1 types.go, defaults.go (v1.36): without policyTypes it is ingress, and egress where it has rules. */
export function policyOf(object: JsonObject): Policy {
  const [metadata, spec] = [objectOf(object.metadata), objectOf(object.spec)]
  const { policyTypes, ingress, egress, podSelector } = spec
  const types = Array.isArray(policyTypes)
    ? policyTypes
    : ['Ingress', ...(objectsOf(egress).length > 0 ? ['Egress'] : [])]
  return {
    namespace: String(metadata.namespace),
    name: String(metadata.name),
    uid: String(metadata.uid),
    selector: labelSelector(podSelector),
    ...(types.includes('Ingress') && { ingress: objectsOf(ingress).map(({ from, ports }) => ruleOf(from, ports)) }),
    ...(types.includes('Egress') && { egress: objectsOf(egress).map(({ to, ports }) => ruleOf(to, ports)) }),
  }
}

function ruleOf(peers: unknown, ports: unknown): PolicyRule {
  const [from, on] = [objectsOf(peers), objectsOf(ports)]
  return {
    ...(from.length > 0 && {
      pods: from
        .filter(({ ipBlock }) => ipBlock === undefined)
        .map(({ namespaceSelector, podSelector }) => ({
          ...(namespaceSelector !== undefined && { namespaces: labelSelector(namespaceSelector) }),
          pods: labelSelector(podSelector),
        })),
      blocks: from.flatMap(({ ipBlock }) => {
        if (ipBlock === undefined) return []
        const { cidr, except } = objectOf(ipBlock)
        const but = Array.isArray(except) ? except.flatMap(normalSubnet) : []
        return normalSubnet(cidr).map(subnet => ({ subnet, except: but }))
      }),
    }),
    ...(on.length > 0 && {
      ports: on.map(({ protocol, port, endPort }) => ({
        protocol: protocolOf(protocol),
        ...((typeof port === 'number' || typeof port === 'string') && { port }),
        ...(typeof endPort === 'number' && { last: endPort }),
      })),
    }),
  }
}

// An API server before 1.33 takes addresses in more than one form.
function normalAddress(text: unknown): string[] {
  const address = parseAddress(String(text))
  return address === undefined ? [] : [formatAddress(address)]
}

function normalSubnet(text: unknown): string[] {
  const subnet = parseSubnet(String(text))
  return subnet === undefined ? [] : [formatSubnet(subnet)]
}

function protocolOf(value: unknown): Protocol {
  return value === 'UDP' || value === 'SCTP' ? value : 'TCP'
}
