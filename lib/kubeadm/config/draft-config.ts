/** Configurations before their defaults. */

import type { Version } from '../../base/version.ts'
import type { HostFacts } from '../../machine/host/facts.ts'

/** `T` as a user may write it: everything may be left out. */
export type Draft<T> = T extends readonly (infer Item)[]
  ? readonly Draft<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]?: Draft<T[Key]> | null }
    : T

/** What defaults depend on. */
export interface Context {
  readonly facts: HostFacts
  readonly kubeadm: Version
  /** Whether to look for the container runtime's socket; without, kubeadm's default is taken. */
  readonly detectCriSocket: boolean
  /** Family of the first range of Services: the API server has to announce an address of it. */
  readonly serviceFamily?: 4 | 6
}
