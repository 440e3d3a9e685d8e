/** Plans for CAs: kept, kept without a key, or made. Source: kubeadm cmd/phases/init/certs.go runCAPhase (v1.36). */

import { reasonOf } from '../../base/errors.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { type Certificate, formatCertificate, parseCertificate, same } from './certificate.ts'
import type { AuthoritySpec } from './certificates.ts'
import { MODE, NOTHING, type Plan, refusal, remark } from './credential-plan.ts'
import { enumerate, type Found, type Store, type There } from './credential-store.ts'
import { formatPrivateKey, type PrivateKey, signatureOf } from './keys.ts'
import { authorityTemplate } from './template.ts'
import { validityFault } from './validity.ts'
import { certificate } from './x509.ts'

/** What a CA is to those it signs. */
export type Authority =
  /** It will be made in this run. */
  | { readonly state: 'new' }
  /** It is there; without a key nothing can be signed. All of the file, the CA itself first. */
  | {
      readonly state: 'kept'
      readonly certificates: readonly [Certificate, ...Certificate[]]
      readonly key?: PrivateKey
    }
  /** It is neither there nor asked for. */
  | { readonly state: 'missing' }
  /** Something is wrong with it, which is said already. */
  | { readonly state: 'faulty' }

/** Looks at a CA; `wanted` says whether it was asked for, or only something that it signs. */
export function planAuthority(
  spec: AuthoritySpec,
  wanted: boolean,
  store: Store,
  config: InitConfig,
  now: Date,
): { readonly authority: Authority; readonly plan: Plan } {
  const found = store.certificates(spec.baseName)
  const key = store.privateKey(spec.baseName)
  const fault = authorityFault(spec, found, key, now)
  if (fault !== undefined) return { authority: { state: 'faulty' }, plan: refusal(fault) }
  if (found.state !== 'there') {
    return wanted
      ? { authority: { state: 'new' }, plan: newAuthority(spec, store, config, now) }
      : { authority: { state: 'missing' }, plan: NOTHING }
  }
  const authority = {
    state: 'kept',
    certificates: found.value,
    ...(key.state === 'there' && { key: key.value }),
  } as const
  return { authority, plan: wanted ? keptAuthority(spec, found, key) : NOTHING }
}

function keptAuthority({ baseName }: AuthoritySpec, found: There<unknown>, key: Found<unknown>): Plan {
  const adjective = key.state === 'there' ? '' : 'keyless '
  return remark(`[certs] Using existing ${baseName} ${adjective}certificate authority`, [
    { path: found.path, mode: MODE.certificate, content: found.text },
    ...(key.state === 'there' ? [{ path: key.path, mode: MODE.secret, content: key.text }] : []),
  ])
}

/** What is wrong with the files of a CA, in one message; undefined when they can be used, or are not there at all. */
function authorityFault(
  { name }: AuthoritySpec,
  found: Found<readonly [Certificate, ...Certificate[]]>,
  key: Found<PrivateKey>,
  now: Date,
): string | undefined {
  if (found.state === 'absent') {
    if (key.state === 'absent') return undefined
    return `certs: cannot use the CA key "${key.path}": its certificate "${found.path}" is missing; put it there, or delete the key and run 'certs ${name}' again`
  }
  const reasons: string[] = []
  if (found.state === 'damaged') reasons.push(found.reason)
  else {
    const [authority] = found.value
    if (!authority.ca) reasons.push('it is not a CA certificate')
    else if (!authority.signsCertificates) reasons.push('its key usage does not allow signing certificates')
    const dates = validityFault(authority, now)
    if (dates !== undefined) reasons.push(dates)
    if (key.state === 'there' && !same(key.value.publicKey, authority.publicKey)) {
      reasons.push(`its key "${key.path}" belongs to another certificate`)
    } else if (key.state === 'there') reasons.push(...signingFaults(key.path, key.value))
  }
  if (key.state === 'damaged') reasons.push(`its key "${key.path}" cannot be used: ${key.reason}`)
  if (reasons.length === 0) return undefined
  return `certs: cannot use the CA "${found.path}": ${enumerate(reasons)}; put the right files there, or delete certificate and key with all that they signed and run 'certs ${name}' again`
}

function signingFaults(path: string, key: PrivateKey): string[] {
  try {
    signatureOf(key)
    return []
  } catch (error) {
    return [`its key "${path}" cannot sign: ${reasonOf(error)}`]
  }
}

function newAuthority(spec: AuthoritySpec, store: Store, config: InitConfig, now: Date): Plan {
  const make = (key: PrivateKey) => {
    const bytes = certificate(authorityTemplate(spec, config, now), key)
    return {
      files: [
        { path: store.path(spec.baseName, 'key'), mode: MODE.secret, content: formatPrivateKey(key) },
        { path: store.path(spec.baseName, 'crt'), mode: MODE.certificate, content: formatCertificate(bytes) },
      ],
      messages: [`[certs] Generating "${spec.baseName}" certificate and key`],
      authority: { name: spec.name, certificate: parseCertificate(bytes), key },
    }
  }
  return { ...NOTHING, steps: [{ make }] }
}
