/** Every check, in the order in which people read them. */

import { KubestepError } from '../../base/errors.ts'
import { nearest } from '../../base/nearest.ts'
import { ADDRESS_CHECKS } from './address-checks.ts'
import { type Check, checkName, type Wanted } from './check.ts'
import { FILE_CHECKS } from './file-checks.ts'
import { KERNEL_CHECKS } from './kernel-checks.ts'
import { MACHINE_CHECKS } from './machine-checks.ts'
import { NETWORK_CHECKS } from './network-checks.ts'
import { RUNTIME_CHECKS } from './runtime-checks.ts'
import { VERSION_CHECKS } from './version-checks.ts'

export const CHECKS: readonly Check[] = [
  ...MACHINE_CHECKS,
  ...KERNEL_CHECKS,
  ...RUNTIME_CHECKS,
  ...ADDRESS_CHECKS,
  ...NETWORK_CHECKS,
  ...VERSION_CHECKS,
  ...FILE_CHECKS,
]

/**
 * Checks of kubeadm that make no sense here: of Docker as a runtime, which kubestep does not use (until 1.24), and of
 * joining and upgrading. Their names may be given all the same.
 */
const ELSEWHERE: readonly string[] = [
  'Service-Docker',
  'IsDockerSystemdCheck',
  'CoreDNSUnsupportedPlugins',
  'CoreDNSMigration',
  'CreateJob',
  'ControlPlaneNodesReady',
  'StaticPodManifest',
]

/** Every name that --ignore-preflight-errors may hold for this configuration, without `all`. */
export function knownNames(wanted: Wanted): string[] {
  const names = CHECKS.flatMap(check => {
    if (check.subjects === undefined) return [check.name]
    return [...check.subjects(wanted), ...(check.others ?? [])].map(subject => checkName(check, subject))
  })
  return [...new Set([...names, ...ELSEWHERE])]
}

/**
 * The names whose errors count as warnings, in lower case: kubeadm does not care about case either.
 * Throws a KubestepError for a name that no check has.
 */
export function ignoredNames(given: readonly string[], wanted: Wanted): ReadonlySet<string> {
  const known = knownNames(wanted)
  const lower = new Set([...known, 'all'].map(name => name.toLowerCase()))
  const unknown = given.filter(name => !lower.has(name.toLowerCase()))
  if (unknown.length > 0) {
    const faults = unknown.map(name => {
      const hint = nearest(name, known)
      const advice = hint === undefined ? '' : `; did you mean "${hint}"?`
      return `preflight: cannot ignore "${name}": there is no such check${advice}`
    })
    throw new KubestepError([...faults, `preflight: there are all, ${known.join(', ')}`].join('\n'))
  }
  return new Set(given.map(name => name.toLowerCase()))
}
