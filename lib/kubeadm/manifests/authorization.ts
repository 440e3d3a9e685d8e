/** kube-apiserver's --authorization-mode, and what kubeadm says about it. */
import type { InitConfig } from '../../base/kubeadm.ts'
import { type Since, valueSince } from '../../base/version.ts'
import { argumentValue } from './command-line.ts'

const DEFAULT_MODES = 'Node,RBAC'
const KNOWN_MODES: readonly string[] = ['Node', 'RBAC', 'Webhook', 'ABAC', 'AlwaysAllow', 'AlwaysDeny']

/**
 * What becomes of the user's own --authorization-mode. `filtered`: unknown modes are taken out of it;
 * `verbatim`: it is written as it is, and --authorization-config does without the default.
 * Source: kubeadm phases/controlplane/manifests.go (1.29.6 filters, 1.30.0 does not; k/k PR 123555).
 */
export const AUTHORIZATION_RULES: Since<'filtered' | 'verbatim'> = { '1.18': 'filtered', '1.30': 'verbatim' }

export interface Authorization {
  /** Value of the default argument; undefined: none is written. */
  readonly mode?: string
  /** What kubeadm warns of. */
  readonly messages: readonly string[]
}

/** The default --authorization-mode for a configuration. Source: kubeadm phases/controlplane/manifests.go (v1.36). */
export function authorizationMode(config: InitConfig): Authorization {
  const { extraArgs } = config.cluster.apiServer
  if (!filtersModes(config) && argumentValue(extraArgs, 'authorization-config') !== undefined) return { messages: [] }
  const requested = argumentValue(extraArgs, 'authorization-mode') ?? ''
  if (requested === '') return { mode: DEFAULT_MODES, messages: [] }
  const modes = requested.split(',')
  const known = modes.filter(mode => KNOWN_MODES.includes(mode)).join(',')
  const messages = modes
    .filter(mode => !KNOWN_MODES.includes(mode))
    .map(mode => `ignoring unknown kube-apiserver authorization-mode "${mode}"`)
  if (known !== '' && known !== DEFAULT_MODES) {
    messages.push(`the default kube-apiserver authorization-mode is "${DEFAULT_MODES}"; using "${known}"`)
  }
  return { mode: known === '' ? DEFAULT_MODES : known, messages }
}

/** Whether the release replaces the user's --authorization-mode by the filtered one. */
export function filtersModes(config: InitConfig): boolean {
  return valueSince(AUTHORIZATION_RULES, config.kubeadm) !== 'verbatim'
}
