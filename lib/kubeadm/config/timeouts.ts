/** How long to wait for what. Source: kubeadm constants.go (v1.36). */

import type { Timeouts } from '../../base/kubeadm.ts'
import type { Draft } from './draft-config.ts'

export const DEFAULT_TIMEOUTS: Timeouts = {
  controlPlaneComponentHealthCheck: '4m0s',
  kubeletHealthCheck: '4m0s',
  kubernetesAPICall: '1m0s',
  etcdAPICall: '2m0s',
  tlsBootstrap: '5m0s',
  discovery: '5m0s',
  upgradeManifests: '5m0s',
}

/** The timeouts with defaults for what was left out. */
export function completeTimeouts(draft: Draft<Timeouts> | null | undefined): Timeouts {
  const set = Object.entries(draft ?? {}).filter(([, value]) => typeof value === 'string')
  return { ...DEFAULT_TIMEOUTS, ...Object.fromEntries(set) }
}
