/** The command line of a component: a table of defaults, and the user's extraArgs on top by the rule of the release. */
import { posix } from 'node:path'
import type { Arg, InitConfig } from '../../base/kubeadm.ts'
import { type Since, valueSince } from '../../base/version.ts'
import type { HostFacts } from '../../machine/host/facts.ts'

/** A member of an etcd cluster that this one joins. */
export interface EtcdMember {
  readonly name: string
  readonly peerUrl: string
}

/** Everything that a static Pod is rendered from. */
export interface PodInput {
  readonly config: InitConfig
  readonly facts: Pick<HostFacts, 'directories' | 'proxyEnvironment'>
  /** Whether the cluster's CA key is kept elsewhere: the controller manager signs nothing then. */
  readonly externalCa: boolean
  /** On join: the members there are, the new one included; empty on init. */
  readonly etcdMembers: readonly EtcdMember[]
}

/** A default argument. */
export interface ArgumentRow {
  readonly name: string
  /** Undefined: this configuration does without. */
  readonly value: string | ((input: PodInput) => string | undefined)
  /** In which kubeadm releases; absent means in all. */
  readonly releases?: Since<boolean>
}

/**
 * How extraArgs are merged. Defaults that the user overrides go away in either case.
 * `sorted`: the whole list by name, then value. `appended`: defaults sorted, the user's after them in his order.
 * Source: kubeadm util/arguments.go (seen sorted in 1.34.2 and 1.33.5, appended in 1.35.2 and 1.36.2);
 * CHANGELOG 1.34.4 (k/k PR 135852), 1.35.1 (135853), 1.36.0 (135400); the cherry picks 135850 and 135851 went into
 * the patch releases of the same day, 1.32.12 and 1.33.8.
 */
export const MERGE_RULES: Since<'sorted' | 'appended'> = {
  '1.18': 'sorted',
  '1.32.12': 'appended',
  '1.33': 'sorted',
  '1.33.8': 'appended',
  '1.34': 'sorted',
  '1.34.4': 'appended',
  '1.35': 'sorted',
  '1.35.1': 'appended',
}

/** The default arguments that a table gives for an input, in the table's order. */
export function defaultArguments(table: readonly ArgumentRow[], input: PodInput): Arg[] {
  return table.flatMap(({ name, value, releases }) => {
    if (releases !== undefined && !valueSince(releases, input.config.kubeadm)) return []
    const text = typeof value === 'string' ? value : value(input)
    return text === undefined ? [] : [{ name, value: text }]
  })
}

/** Defaults and overrides as one list, by the rule of the kubeadm release. Source: kubeadm util/arguments.go (v1.36, v1.30). */
export function mergeArguments(
  defaults: readonly Arg[],
  overrides: readonly Arg[],
  kubeadm: InitConfig['kubeadm'],
): Arg[] {
  const overridden = new Set(overrides.map(({ name }) => name))
  const kept = defaults.filter(({ name }) => !overridden.has(name))
  return valueSince(MERGE_RULES, kubeadm) === 'appended'
    ? [...kept.toSorted(byNameAndValue), ...overrides]
    : [...kept, ...overrides].toSorted(byNameAndValue)
}

/** `--name=value`; an empty value leaves the `=`. */
export function formatArguments(args: readonly Arg[]): string[] {
  return args.map(({ name, value }) => `--${name}=${value}`)
}

/** The value the component will take: the last one given. Undefined when the argument is not there. */
export function argumentValue(args: readonly Arg[] | undefined, name: string): string | undefined {
  return args?.findLast(arg => arg.name === name)?.value
}

/** A file in the certificates' folder, as Go's filepath.Join writes it. */
export function pkiFile(config: InitConfig, name: string): string {
  return posix.join(config.cluster.certificatesDir, name)
}

function byNameAndValue(a: Arg, b: Arg): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1
  if (a.value === b.value) return 0
  return a.value < b.value ? -1 : 1
}
