/** The input `extra-args`: YAML, a mapping of flags for each component. */
import { reasonOf } from '../base/errors.ts'
import { isObject, type Json, type JsonObject } from '../base/json.ts'
import { nearest } from '../base/nearest.ts'
import { parse } from '../base/yaml.ts'

export type ArgumentsOwner = 'apiserver' | 'controller-manager' | 'scheduler' | 'etcd' | 'kubelet'

/** Names of components, the one to use first. */
const OWNERS: Readonly<Record<ArgumentsOwner, readonly string[]>> = {
  apiserver: ['apiserver', 'kube-apiserver', 'apiServer'],
  'controller-manager': ['controller-manager', 'kube-controller-manager', 'controllerManager'],
  scheduler: ['scheduler', 'kube-scheduler'],
  etcd: ['etcd'],
  kubelet: ['kubelet'],
}

const OWNER_NAMES = Object.keys(OWNERS) as ArgumentsOwner[]

/** A flag without its dashes; one that is given several times stands there as often. */
export interface Argument {
  readonly name: string
  readonly value: string
}

export type ComponentArguments = Readonly<Partial<Record<ArgumentsOwner, readonly Argument[]>>>

/** What is wrong with the text. */
export function componentFaults(text: string): readonly string[] {
  const read = readYaml(text)
  if (typeof read === 'string') return [read]
  return Object.entries(read).flatMap(([name, flags]) => {
    if (name === 'kube-proxy' || name === 'proxy')
      return ['kube-proxy takes a KubeProxyConfiguration; give one in config']
    if (ownerOf(name) === undefined) return [`${JSON.stringify(name)} is not a component; ${hint(name)}`]
    if (!isObject(flags)) return [`${JSON.stringify(name)} has no mapping of flags; write it like ${EXAMPLE}`]
    return Object.entries(flags)
      .filter(([, value]) => valuesOf(value) === undefined)
      .map(([flag]) => `${name}.${flag} is not a text, number, boolean or list of those; put it in quotes`)
  })
}

/** The flags by component; empty for a text with faults. */
export function componentArguments(text: string | undefined): ComponentArguments {
  const read = text === undefined ? {} : readYaml(text)
  if (typeof read === 'string') return {}
  const found: Partial<Record<ArgumentsOwner, readonly Argument[]>> = {}
  for (const [name, flags] of Object.entries(read)) {
    const owner = ownerOf(name)
    if (owner === undefined || !isObject(flags)) continue
    found[owner] = [
      ...(found[owner] ?? []),
      ...Object.entries(flags).flatMap(([flag, value]) =>
        (valuesOf(value) ?? []).map(item => ({ name: flag.replace(/^--/, ''), value: item })),
      ),
    ]
  }
  return found
}

const EXAMPLE = '{ apiserver: { v: 4 } }'

function readYaml(text: string): JsonObject | string {
  try {
    const read = parse(text)
    return isObject(read) ? read : `it is not a mapping of components; write it like ${EXAMPLE}`
  } catch (error) {
    return reasonOf(error)
  }
}

function ownerOf(name: string): ArgumentsOwner | undefined {
  return OWNER_NAMES.find(owner => OWNERS[owner].includes(name))
}

function hint(name: string): string {
  const near = nearest(name, OWNER_NAMES)
  return near === undefined ? `use ${OWNER_NAMES.join(', ')}` : `did you mean ${near}?`
}

function valuesOf(value: Json | undefined): string[] | undefined {
  const items = Array.isArray(value) ? value : [value]
  return items.every(item => ['string', 'number', 'boolean'].includes(typeof item)) ? items.map(String) : undefined
}
