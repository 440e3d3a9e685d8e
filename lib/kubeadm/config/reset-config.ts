/** ResetConfiguration: defaults and checks. Source: kubeadm v1beta4/defaults.go, ValidateResetConfiguration (v1.36). */

import type { Timeouts } from '../../base/kubeadm.ts'
import { DEFAULT_CERTIFICATES_DIR } from './cluster-config.ts'
import type { Context, Draft } from './draft-config.ts'
import { checkAbsolutePath } from './etcd-config.ts'
import type { Checked, Finding } from './findings.ts'
import { completeSocket } from './node-registration.ts'
import { completeTimeouts } from './timeouts.ts'

export interface ResetConfiguration {
  readonly cleanupTmpDir?: boolean
  readonly certificatesDir: string
  readonly criSocket: string
  readonly dryRun?: boolean
  readonly force?: boolean
  readonly ignorePreflightErrors?: readonly string[]
  readonly skipPhases?: readonly string[]
  readonly unmountFlags?: readonly string[]
  readonly timeouts: Timeouts
}

const KIND = 'ResetConfiguration'

export const UNMOUNT_FLAGS: readonly string[] = ['MNT_FORCE', 'MNT_DETACH', 'MNT_EXPIRE', 'UMOUNT_NOFOLLOW']

/** The configuration with kubeadm's defaults, and all that is wrong with it. */
export function completeReset(draft: Draft<ResetConfiguration>, context: Context): Checked<ResetConfiguration> {
  const socket = completeSocket(draft.criSocket || undefined, { kind: KIND, field: 'criSocket' }, context)
  const certificatesDir = draft.certificatesDir || DEFAULT_CERTIFICATES_DIR
  const value = {
    ...draft,
    certificatesDir,
    criSocket: socket.value,
    timeouts: completeTimeouts(draft.timeouts),
  } as ResetConfiguration
  return {
    value,
    findings: [
      ...socket.findings,
      ...checkAbsolutePath(KIND, 'certificatesDir', certificatesDir),
      ...checkUnmountFlags(value.unmountFlags ?? []),
    ],
    notices: socket.notices,
  }
}

function checkUnmountFlags(flags: readonly string[]): Finding[] {
  return flags
    .filter(flag => !UNMOUNT_FLAGS.includes(flag))
    .map(value => ({
      kind: KIND,
      field: 'unmountFlags',
      value,
      reason: `unknown unmount flag; use ${UNMOUNT_FLAGS.join(', ')}`,
    }))
}
