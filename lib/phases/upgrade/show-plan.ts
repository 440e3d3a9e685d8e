/** `upgrade plan`: what a cluster could be upgraded to. Nothing is changed, made, pulled or looked up. */
import { KubestepError } from '../../base/errors.ts'
import { parseVersion } from '../../base/version.ts'
import { stringify } from '../../base/yaml.ts'
import { commandOf } from '../../cli/invocation.ts'
import { openOutput } from '../../cli/output.ts'
import type { Call } from '../../cli/script.ts'
import { unreadyControlPlanes } from '../../cluster/api/running-versions.ts'
import {
  availableUpgrade,
  candidates,
  clusterVersion,
  planObject,
  planText,
  type UpgradePlan,
} from '../../kubeadm/upgrade/plan.ts'
import { storedCluster } from '../../kubeadm/upgrade/stored-cluster.ts'
import { readOutlook } from './upgrade-outlook.ts'
import type { UpgradeRequest } from './upgrade-request.ts'

/** Configurations of components have had one version each in all releases. Source: kubeadm componentconfigs (v1.18 to v1.36). */
export const CONFIG_VERSIONS: UpgradePlan['configVersions'] = [
  ['kubeproxy.config.k8s.io', 'v1alpha1'],
  ['kubelet.config.k8s.io', 'v1beta1'],
].map(([group = '', version = '']) => ({
  group,
  currentVersion: version,
  preferredVersion: version,
  manualUpgradeRequired: false,
}))

/** Prints the plan. Throws a KubestepError where a cluster cannot be upgraded as it is, and an ApiError. */
export async function showPlan(call: Call, request: UpgradeRequest): Promise<void> {
  const { output, flags } = call
  const isText = flags.output === undefined || flags.output === 'text'
  const say = isText ? output.say : output.detail
  const outlook = await readOutlook(call)
  try {
    const { running, stored, api } = outlook
    const from = running && clusterVersion(running)
    if (running === undefined || from === undefined) {
      throw new KubestepError(
        'upgrade: cannot plan on this machine: no API server of the cluster can be seen from here; run it on a control plane',
      )
    }
    const unready = await unreadyControlPlanes(api)
    if (unready.length > 0)
      output.warn(`[upgrade/plan] Not Ready, and to be mended before an upgrade: ${unready.join(', ')}`)
    if (request.printConfig) output.result(stringify(storedCluster(stored)))
    const kinds = Object.keys(running.apiservers)
    if (kinds.length > 1)
      output.warn(
        `[upgrade/plan] API servers of several versions: ${kinds.sort().join(', ')}; upgrade the control planes to one`,
      )
    const wanted = request.version === undefined ? undefined : parseVersion(request.version)
    const found = candidates(from, wanted)
    const plan: UpgradePlan = {
      availableUpgrades: found.map(candidate => availableUpgrade(running, from, candidate, request.etcdUpgrade)),
      configVersions: CONFIG_VERSIONS,
    }
    // One object in itself, no event.
    const { result } = openOutput({})
    if (flags.output === 'json') result(`${JSON.stringify(planObject(plan), null, 4)}\n`)
    else if (flags.output === 'yaml') result(stringify(planObject(plan)))
    else if (found.length > 0) result(planText(plan, `${commandOf('upgrade', true)} apply`))
    else say('[upgrade/plan] This cluster is up to date')
  } finally {
    outlook.api.close()
  }
}
