/** Plans for kubeconfigs: kept, made, or refused. Source: kubeadm phases/kubeconfig/kubeconfig.go (v1.36) */
import { posix } from 'node:path'
import type { InitConfig } from '../../base/kubeadm.ts'
import { formatVersion, isSince } from '../../base/version.ts'
import type { Authority } from './authority.ts'
import { formatCertificate } from './certificate.ts'
import { issuerOf, type Made, MODE, NOTHING, type Plan, refusal, remark, type Signer } from './credential-plan.ts'
import { find, type Read } from './credential-store.ts'
import { judgeKubeconfig } from './existing-kubeconfig.ts'
import { formatPrivateKey, type PrivateKey } from './keys.ts'
import { kubeconfigText } from './kubeconfig-file.ts'
import { externalServer, type KubeconfigSpec, kubeconfigServer, kubeconfigSubject } from './kubeconfigs.ts'
import { clientTemplate } from './template.ts'
import { certificate } from './x509.ts'

export interface KubeconfigPlanning {
  readonly config: InitConfig
  readonly authority: Authority
  /** Path of ca.crt, for messages. */
  readonly authorityPath: string
  /** Folder of the kubeconfigs. */
  readonly folder: string
  readonly read: Read
  readonly now: Date
}

export function planKubeconfig(spec: KubeconfigSpec, planning: KubeconfigPlanning): Plan {
  const { config, authority, authorityPath, folder, read } = planning
  const path = posix.join(folder, spec.file)
  if (!isSince(config.kubeadm, spec.since)) {
    return refusal(
      `kubeconfig: cannot make "${path}": kubeadm ${formatVersion(config.kubeadm)} has none; leave it out, or choose Kubernetes ${spec.since} or later`,
    )
  }
  const existing = find(path, read, text => text)
  const again = `delete it and run 'kubeconfig ${spec.name}' again`
  if (existing.state === 'damaged') return refusal(`kubeconfig: cannot keep "${path}": ${existing.reason}`)
  if (existing.state === 'there') {
    if (authority.state === 'kept' || authority.state === 'faulty')
      return planKept(spec, { path, text: existing.text }, authority, planning)
    return refusal(`kubeconfig: cannot keep "${path}": its CA "${authorityPath}" is missing; put it there, or ${again}`)
  }
  if (authority.state === 'faulty') return NOTHING
  if (authority.state === 'missing') {
    return refusal(`kubeconfig: cannot make "${path}": the CA "${authorityPath}" is missing; run 'certs ca' first`)
  }
  if (authority.state === 'kept' && authority.key === undefined) {
    const which = `the CA "${authorityPath}" has no key here (external CA)`
    const fix = "put the CA's key beside it, or have its owner provide the file"
    return refusal(`kubeconfig: cannot make "${path}": ${which}; ${fix}`)
  }
  const make = (key: PrivateKey, signer: (name: 'ca') => Signer): Made =>
    makeKubeconfig(spec, path, key, signer('ca'), planning)
  return { ...NOTHING, steps: [{ make }] }
}

function planKept(
  spec: KubeconfigSpec,
  existing: { readonly path: string; readonly text: string },
  authority: Authority & { readonly state: 'kept' | 'faulty' },
  { config, authorityPath, read, now }: KubeconfigPlanning,
): Plan {
  const { path, text } = existing
  const external = authority.state === 'kept' && authority.key === undefined
  const authorities = authority.state === 'kept' ? authority.certificates : undefined
  const server = external ? externalServer(spec, config) : kubeconfigServer(spec, config)
  const trust = { authorities, authorityPath, server, now }
  const { fault, warnings } = judgeKubeconfig(existing, trust, read)
  if (fault !== undefined) {
    const fix = external ? 'have its owner provide another' : `delete it and run 'kubeconfig ${spec.name}' again`
    return refusal(`kubeconfig: cannot keep "${path}": ${fault}; ${fix}`)
  }
  const message = external
    ? `[kubeconfig] External CA mode: Using user provided ${spec.file}`
    : `[kubeconfig] Using existing kubeconfig file: "${path}"`
  const kept = remark(message, external ? [{ path, mode: MODE.secret, content: text }] : [])
  return { ...kept, warnings: warnings.map(warning => `kubeconfig: "${path}" is kept, but ${warning}`) }
}

function makeKubeconfig(
  spec: KubeconfigSpec,
  path: string,
  key: PrivateKey,
  signer: Signer,
  { config, now }: KubeconfigPlanning,
): Made {
  const subject = kubeconfigSubject(spec, config)
  const bytes = certificate(clientTemplate(subject, config, now, signer.certificate), key, issuerOf(signer))
  const content = kubeconfigText(
    {
      server: kubeconfigServer(spec, config),
      cluster: config.cluster.clusterName,
      user: subject.commonName,
      authority: formatCertificate(signer.certificate.bytes),
      certificate: formatCertificate(bytes),
      key: formatPrivateKey(key),
    },
    config.kubeadm,
  )
  return {
    files: [{ path, mode: MODE.secret, content }],
    messages: [`[kubeconfig] Writing "${spec.file}" kubeconfig file`],
  }
}
