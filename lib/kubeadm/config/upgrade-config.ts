/** UpgradeConfiguration: defaults and checks. Source: kubeadm v1beta4/defaults.go, ValidateUpgradeConfiguration (v1.36). */

import type { Timeouts } from '../../base/kubeadm.ts'
import type { Draft } from './draft-config.ts'
import { checkAbsolutePath } from './etcd-config.ts'
import type { Checked, Finding } from './findings.ts'
import { checkPullPolicy } from './node-registration.ts'
import { completeTimeouts } from './timeouts.ts'

interface Pulling {
  readonly imagePullPolicy: string
  readonly imagePullSerial: boolean
}

export interface UpgradeNode extends Pulling {
  readonly certificateRenewal: boolean
  readonly dryRun?: boolean
  readonly etcdUpgrade: boolean
  readonly ignorePreflightErrors?: readonly string[]
  readonly skipPhases?: readonly string[]
  readonly patches?: { readonly directory?: string }
}

export interface UpgradePlan {
  readonly kubernetesVersion?: string
  readonly allowExperimentalUpgrades?: boolean
  readonly allowRCUpgrades?: boolean
  readonly dryRun?: boolean
  readonly etcdUpgrade: boolean
  readonly ignorePreflightErrors?: readonly string[]
  readonly printConfig?: boolean
}

export interface UpgradeApply extends UpgradeNode {
  readonly kubernetesVersion?: string
  readonly allowExperimentalUpgrades?: boolean
  readonly allowRCUpgrades?: boolean
  readonly forceUpgrade?: boolean
  readonly printConfig?: boolean
}

export interface UpgradeConfiguration {
  readonly apply: UpgradeApply
  readonly diff: { readonly kubernetesVersion?: string; readonly contextLines?: number }
  readonly node: UpgradeNode
  readonly plan: UpgradePlan
  readonly timeouts: Timeouts
}

const KIND = 'UpgradeConfiguration'

/** The configuration with kubeadm's defaults, and all that is wrong with it. */
export function completeUpgrade(draft: Draft<UpgradeConfiguration>): Checked<UpgradeConfiguration> {
  const value: UpgradeConfiguration = {
    apply: completeNode(draft.apply) as UpgradeApply,
    diff: (draft.diff ?? {}) as UpgradeConfiguration['diff'],
    node: completeNode(draft.node),
    plan: { ...(draft.plan as UpgradePlan | undefined), etcdUpgrade: draft.plan?.etcdUpgrade ?? true },
    timeouts: completeTimeouts(draft.timeouts),
  }
  return { value, findings: [...checkNode('apply', value.apply), ...checkNode('node', value.node)], notices: [] }
}

function completeNode(draft: Draft<UpgradeNode> | null | undefined): UpgradeNode {
  return {
    ...(draft as Partial<UpgradeNode> | undefined),
    certificateRenewal: draft?.certificateRenewal ?? true,
    etcdUpgrade: draft?.etcdUpgrade ?? true,
    imagePullPolicy: draft?.imagePullPolicy || 'IfNotPresent',
    imagePullSerial: draft?.imagePullSerial ?? true,
  }
}

// The patches folder of an upgrade may be read long after, from another folder: only here it has to be absolute.
function checkNode(field: string, node: UpgradeNode): Finding[] {
  return [
    ...(node.patches ? checkAbsolutePath(KIND, `${field}.patches.directory`, node.patches.directory ?? '') : []),
    ...checkPullPolicy(KIND, `${field}.imagePullPolicy`, node.imagePullPolicy),
  ]
}
