/** What may be in the way of an upgrade, by kubeadm's names; nothing of it makes a Pod or pulls an image. */
import { existsSync } from 'node:fs'
import { KubestepError } from '../../base/errors.ts'
import { nearest } from '../../base/nearest.ts'
import { parseVersion } from '../../base/version.ts'
import { unreadyControlPlanes } from '../../cluster/api/running-versions.ts'
import { localComponents, manifestPath } from '../../kubeadm/manifests/manifests.ts'
import { skewFaults } from '../../kubeadm/upgrade/skew.ts'
import { openRuntime } from '../../supply/runtime/runtime.ts'
import { criFault } from '../../supply/runtime/runtime-choice.ts'
import type { FilePlan } from './planned-files.ts'
import type { Outlook } from './upgrade-outlook.ts'
import type { UpgradeRequest } from './upgrade-request.ts'

interface UpgradeCheck {
  /** kubeadm's name, for --ignore-preflight-errors. */
  readonly name: string
  readonly look: (outlook: Outlook, plan: FilePlan) => Promise<readonly string[]>
}

/** Source: kubeadm phases/upgrade/health.go, cmd/phases/upgrade/apply/preflight.go (v1.36); its CreateJob is left out. */
const CHECKS: readonly UpgradeCheck[] = [
  {
    name: 'ContainerRuntimeVersion',
    look: async ({ node }, { to }) => {
      const runtime = await openRuntime(node.criSocket, false)
      runtime.cri.close()
      return [criFault({ ...runtime, cri: runtime.cri.version }, to.version.minor)].filter(fault => fault !== undefined)
    },
  },
  {
    name: 'ControlPlaneNodesReady',
    look: async ({ api, running }) => {
      const unready = running === undefined ? [] : await unreadyControlPlanes(api)
      return unready.map(node => `control plane "${node}" is not Ready; mend or remove it first`)
    },
  },
  {
    name: 'StaticPodManifest',
    look: async (_outlook, { to, isControlPlane }) =>
      (isControlPlane ? localComponents(to) : [])
        .map(manifestPath)
        .filter(path => !existsSync(path))
        .map(path => `"${path}" does not exist; this control plane is not whole`),
  },
]

/** Checks of kubeadm's upgrade that are not made here: nothing is pulled, no Job is made, a Corefile is carried over. */
const ELSEWHERE: readonly string[] = [
  'IsPrivilegedUser',
  'SystemVerification',
  'CoreDNSUnsupportedPlugins',
  'CoreDNSMigration',
  'CreateJob',
  'ImagePull',
]

/** Names that no check of an upgrade has; kubeadm passes over them without a word. */
export function unknownChecks(names: readonly string[]): string[] {
  const known = [...CHECKS.map(({ name }) => name), ...ELSEWHERE]
  const lower = new Set([...known, 'all'].map(name => name.toLowerCase()))
  return names
    .filter(name => !lower.has(name.toLowerCase()))
    .map(name => {
      const hint = nearest(name, known)
      return `[preflight] there is no check "${name}" to ignore${hint === undefined ? '' : `; did you mean "${hint}"?`}`
    })
}

/** Looks at everything. Throws a KubestepError with every fault; what is ignored, or passed over by force, is warned of. */
export async function checkUpgrade(
  outlook: Outlook,
  plan: FilePlan,
  request: UpgradeRequest,
  warn: (line: string) => void,
): Promise<void> {
  const faults: string[] = []
  for (const line of unknownChecks(request.ignored)) warn(line)
  for (const { name, look } of CHECKS) {
    const isIgnored = request.ignored.some(ignored => ['all', name.toLowerCase()].includes(ignored.toLowerCase()))
    for (const fault of await look(outlook, plan)) {
      if (isIgnored) warn(`[preflight] ${name}: ${fault}`)
      else faults.push(`upgrade: ${fault} (--ignore-preflight-errors=${name} passes over it)`)
    }
  }
  const { from, to } = plan
  if (request.command === 'apply') {
    const kubelets = Object.keys(outlook.running?.kubelets ?? {}).flatMap(text => parseVersion(text) ?? [])
    const { allowExperimental, allowReleaseCandidate } = request
    const skew = skewFaults({ from: from.version, to: to.version, kubelets, allowExperimental, allowReleaseCandidate })
    const refused = request.force ? skew.faults : [...skew.faults, ...skew.passable]
    const head = `upgrade: cannot upgrade to "${to.cluster.kubernetesVersion}"`
    faults.push(...refused.map(reason => `${head}: ${reason}`))
    if (request.force) for (const reason of skew.passable) warn(`${head} but by force: ${reason}`)
  }
  if (faults.length > 0) throw new KubestepError(faults.join('\n'))
}
