/** Plans for leaf certificates: kept when everything fits, made when nothing is there, refused otherwise. */
import type { InitConfig } from '../../base/kubeadm.ts'
import type { Authority } from './authority.ts'
import { type Certificate, formatCertificate, same } from './certificate.ts'
import { chains, type Expectation, identityFaults } from './certificate-fit.ts'
import type { LeafSpec } from './certificates.ts'
import { issuerOf, type Made, MODE, NOTHING, type Plan, refusal, remark, type Signer } from './credential-plan.ts'
import { enumerate, type Found, type Store } from './credential-store.ts'
import { formatPrivateKey, type PrivateKey } from './keys.ts'
import { leafIdentity, leafTemplate } from './template.ts'
import { validityFault } from './validity.ts'
import { certificate } from './x509.ts'

/** Looks at a leaf and its CA. Source: kubeadm cmd/phases/init/certs.go runCertPhase (v1.36), design "Copy or improve". */
export function planLeaf(spec: LeafSpec, authority: Authority, store: Store, config: InitConfig, now: Date): Plan {
  const found = store.certificates(spec.baseName)
  const key = store.privateKey(spec.baseName)
  if (found.state === 'absent') return planMissing(spec, authority, key, store, config, now)
  const external = authority.state === 'kept' && authority.key === undefined
  const differences = differencesOf(found, key, expectation(spec, config, external), authority, now, store)
  if (differences.length === 0) return remark(`[certs] Using existing ${spec.baseName} certificate and key on disk`)
  const fix = external
    ? 'put the right files there, or have the owner of the CA issue it again'
    : `delete it and its key, and run 'certs ${spec.name}' again`
  return refusal(`certs: cannot reuse "${found.path}": ${enumerate(differences)}; ${fix}`)
}

function planMissing(
  spec: LeafSpec,
  authority: Authority,
  key: Found<PrivateKey>,
  store: Store,
  config: InitConfig,
  now: Date,
): Plan {
  // What is wrong with the CA is said already.
  if (authority.state === 'faulty') return NOTHING
  const path = store.path(spec.baseName, 'crt')
  const authorityPath = store.path(spec.authority === 'etcd-ca' ? 'etcd/ca' : spec.authority, 'crt')
  const cannot = `certs: cannot make "${path}":`
  if (authority.state === 'missing') {
    return refusal(`${cannot} its CA "${authorityPath}" is missing; run 'certs ${spec.authority}' first`)
  }
  if (authority.state === 'kept' && authority.key === undefined) {
    const which = `its CA "${authorityPath}" has no key here (external CA)`
    return refusal(`${cannot} ${which}; put the CA's key beside it, or have its owner issue the certificate`)
  }
  if (key.state !== 'absent') {
    const fix = `put the certificate beside it, or delete the key and run 'certs ${spec.name}' again`
    return refusal(`${cannot} a key without certificate is there already, "${key.path}"; ${fix}`)
  }
  const make = (fresh: PrivateKey, signer: (name: LeafSpec['authority']) => Signer): Made =>
    makeLeaf(spec, fresh, signer(spec.authority), store, config, now)
  return { ...NOTHING, steps: [{ make }] }
}

function makeLeaf(spec: LeafSpec, key: PrivateKey, signer: Signer, store: Store, config: InitConfig, now: Date): Made {
  const template = leafTemplate(spec, config, now, signer.certificate)
  const { dnsNames, ipAddresses } = template.names
  const serves = `[certs] ${spec.baseName} serving cert is signed for DNS names [${dnsNames.join(' ')}] and IPs [${ipAddresses.join(' ')}]`
  return {
    files: [
      { path: store.path(spec.baseName, 'key'), mode: MODE.secret, content: formatPrivateKey(key) },
      {
        path: store.path(spec.baseName, 'crt'),
        mode: MODE.certificate,
        content: formatCertificate(certificate(template, key, issuerOf(signer))),
      },
    ],
    messages: [
      `[certs] Generating "${spec.baseName}" certificate and key`,
      ...(spec.usages.includes('serverAuth') ? [serves] : []),
    ],
  }
}

// Whoever brings certificates of a CA of their own may follow the Kubernetes documentation, where a server's
// common name is not the one that kubeadm chooses. Nobody looks at it when there are alternative names.
function expectation(spec: LeafSpec, config: InitConfig, external: boolean): Expectation {
  const { subject, names } = leafIdentity(spec, config)
  const free = external && spec.usages.includes('serverAuth')
  return { names, usages: spec.usages, ...(free ? {} : { subject }) }
}

function differencesOf(
  found: Exclude<Found<readonly [Certificate, ...Certificate[]]>, { state: 'absent' }>,
  key: Found<PrivateKey>,
  expected: Expectation,
  authority: Authority,
  now: Date,
  store: Store,
): string[] {
  const keyFault = (publicKey?: Uint8Array): string[] => {
    if (key.state === 'absent') return [`its key "${key.path}" is missing`]
    if (key.state === 'damaged') return [`its key "${key.path}" cannot be used: ${key.reason}`]
    if (publicKey === undefined || same(key.value.publicKey, publicKey)) return []
    return [`its key "${key.path}" belongs to another certificate`]
  }
  if (found.state === 'damaged') return [found.reason, ...keyFault()]
  const [leaf, ...intermediates] = found.value
  return [
    ...chainFault(leaf, intermediates, authority, now, store),
    ...keyFault(leaf.publicKey),
    ...identityFaults(leaf, expected),
    ...dateFaults([leaf], now),
  ]
}

function chainFault(
  leaf: Certificate,
  intermediates: readonly Certificate[],
  authority: Authority,
  now: Date,
  store: Store,
): string[] {
  if (authority.state === 'faulty') return []
  if (authority.state !== 'kept') return [`its CA is not in "${store.folder}"`]
  if (!chains(leaf, intermediates, authority.certificates[0])) return ['it is not signed by its CA']
  return dateFaults(intermediates, now).map(reason => `of an intermediate certificate in it: ${reason}`)
}

function dateFaults(certificates: readonly Certificate[], now: Date): string[] {
  return certificates.flatMap(one => validityFault(one, now) ?? [])
}
