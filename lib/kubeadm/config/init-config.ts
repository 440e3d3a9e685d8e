/** InitConfiguration: defaults and checks. Source: kubeadm v1beta4/defaults.go, ValidateInitConfiguration (v1.36). */

import type { InitConfiguration, NodeRegistration } from '../../base/kubeadm.ts'
import { completeEndpoint } from './api-endpoint.ts'
import type { Context, Draft } from './draft-config.ts'
import type { Checked, Finding } from './findings.ts'
import { completeNode } from './node-registration.ts'
import { completeTimeouts } from './timeouts.ts'
import { completeTokens } from './tokens.ts'

const KIND = 'InitConfiguration'
const KEY_BYTES = 32

/** The configuration with kubeadm's defaults and the host's facts, and all that is wrong with it. */
export function completeInit(draft: Draft<InitConfiguration>, context: Context): Checked<InitConfiguration> {
  const node = completeNode(
    draft.nodeRegistration,
    { kind: KIND, field: 'nodeRegistration', controlPlane: true },
    context,
  )
  const tokens = completeTokens(draft.bootstrapTokens)
  const endpoint = completeEndpoint(draft.localAPIEndpoint, { kind: KIND, field: 'localAPIEndpoint' }, context)
  const value: InitConfiguration = {
    bootstrapTokens: tokens.value,
    ...(draft.dryRun && { dryRun: true }),
    nodeRegistration: node.value as NodeRegistration,
    localAPIEndpoint: endpoint.value,
    ...(draft.certificateKey && { certificateKey: draft.certificateKey }),
    ...(draft.skipPhases?.length && { skipPhases: draft.skipPhases }),
    ...(draft.patches && { patches: draft.patches as NonNullable<InitConfiguration['patches']> }),
    timeouts: completeTimeouts(draft.timeouts),
  }
  return {
    value,
    findings: [
      ...node.findings,
      ...tokens.findings,
      ...endpoint.findings,
      ...checkCertificateKey(KIND, 'certificateKey', value.certificateKey),
    ],
    notices: [...node.notices, ...endpoint.notices],
  }
}

/** Source: kubeadm ValidateCertificateKey (v1.36). The key itself is never shown. */
export function checkCertificateKey(kind: string, field: string, key: string | undefined): Finding[] {
  if (!key) return []
  const advice = `write ${KEY_BYTES * 2} hexadecimal digits`
  const reason = !/^[0-9a-fA-F]*$/.test(key)
    ? `certificate key decoding error: it has a character that is not a hexadecimal digit; ${advice}`
    : key.length % 2 === 1
      ? `certificate key decoding error: it has an odd number of digits; ${advice}`
      : key.length !== KEY_BYTES * 2
        ? `invalid certificate key size ${key.length / 2}, the key must be an AES key of size ${KEY_BYTES}; ${advice}`
        : undefined
  return reason === undefined ? [] : [{ kind, field, reason }]
}
