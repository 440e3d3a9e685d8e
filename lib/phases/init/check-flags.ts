/** What a real run would say of its flags, for a dry run that comes to none of the places where they are used. */
import { resolve } from 'node:path'
import { KubestepError } from '../../base/errors.ts'
import { architecture } from '../../base/platform.ts'
import type { Flags } from '../../cli/options.ts'
import { readArtifacts } from '../../supply/components/artifacts.ts'
import { openLock } from '../../supply/fetch/digest-lock.ts'
import { readMirrors } from '../../supply/fetch/mirrors.ts'
import { kubeletsBeside, otherVersions } from '../nodes/node-kubelets.ts'
import { ignoredNames } from '../preflight/checks.ts'
import { wantedOf } from '../preflight/refuse-machine.ts'
import type { PhaseOfNodes } from './given-nodes.ts'

/** Checks all of them. Throws a KubestepError with every fault. */
export async function checkFlags(phase: PhaseOfNodes, flags: Flags): Promise<void> {
  const { artifacts, lock, mirror } = flags
  const { cluster, init } = phase.config
  const ignored = init.nodeRegistration.ignorePreflightErrors ?? []
  const checks = await Promise.allSettled([
    (async () => readMirrors(mirror))(),
    lock === undefined ? undefined : openLock(resolve(lock)),
    // Which images have to be in the folder depends on what a runtime has already.
    artifacts === undefined
      ? undefined
      : readArtifacts(artifacts, { arch: architecture(), version: cluster.kubernetesVersion }),
    artifacts === undefined
      ? undefined
      : kubeletsBeside(resolve(artifacts), otherVersions(phase.nodes, cluster.kubernetesVersion)),
    (async () => (ignored.length === 0 ? undefined : ignoredNames(ignored, wantedOf(phase, flags))))(),
  ])
  const faults = checks.flatMap(check => (check.status === 'rejected' ? [check.reason as unknown] : []))
  if (faults.length === 0) return
  const messages = faults.map(fault => {
    if (!(fault instanceof KubestepError)) throw fault
    return fault.message
  })
  throw faults.length === 1 ? faults[0] : new KubestepError(messages.join('\n'))
}
