/**
 * Certificates made anew in place of those that are there: `certs renew`. Source: kubeadm phases/certs/renewal (v1.36).
 * Like everything that is issued it is planned whole first.
 */
import { posix } from 'node:path'
import type { InitConfig } from '../../base/kubeadm.ts'
import { formatVersion, isSince } from '../../base/version.ts'
import { stringify } from '../../base/yaml.ts'
import type { FileEntry } from '../../machine/files.ts'
import { type Authority, planAuthority } from './authority.ts'
import { type Certificate, formatCertificate } from './certificate.ts'
import { identityFaults } from './certificate-fit.ts'
import { AUTHORITIES, type AuthorityName } from './certificates.ts'
import {
  issuerOf,
  joinPlans,
  type Made,
  MODE,
  NOTHING,
  type Plan,
  refusal,
  remark,
  type Signer,
} from './credential-plan.ts'
import { enumerate, openStore, type Store } from './credential-store.ts'
import { isEmbedded, renewedKubeconfig } from './existing-kubeconfig.ts'
import { held } from './expiration.ts'
import { carryOut, type Issued, type IssueRequest } from './issue.ts'
import { formatPrivateKey, type PrivateKey } from './keys.ts'
import { planKubeconfig } from './kubeconfig-plan.ts'
import { planLeaf } from './leaf.ts'
import { isMadeByAll, KUBELET_CLIENT, type Renewable } from './renewable.ts'
import { leafIdentity, renewedTemplate } from './template.ts'
import { type AlternativeNames, type CertificateTemplate, certificate, USAGE_OIDS, type Usage } from './x509.ts'

export interface RenewalRequest extends Pick<IssueRequest, 'config' | 'place' | 'read' | 'now'> {
  readonly rows: readonly Renewable[]
  /** Whether all were asked for, and not these by name. */
  readonly all: boolean
  /** Names of serving certificates come from the configuration, and not from the old certificate. */
  readonly rebuildNames: boolean
  /** Folder of the kubeconfigs. */
  readonly kubeconfigs: string
}

interface Planning extends RenewalRequest {
  readonly store: Store
}

/** Makes them. Throws a KubestepError with every fault, one per line; then nothing was made. */
export async function renewCredentials(request: RenewalRequest): Promise<Issued> {
  const { config, rows, now, read } = request
  const planning = { ...request, store: openStore(config.cluster.certificatesDir, read) }
  const planned = AUTHORITIES.filter(({ name }) => rows.some(row => row.authority === name)).map(
    spec => [spec.name, planAuthority(spec, false, planning.store, config, now)] as const,
  )
  const authorities = new Map(planned.map(([name, { authority }]) => [name, authority]))
  const plan = joinPlans([
    ...planned.map(([, one]) => one.plan),
    ...rows.map(row => planRenewal(row, authorities.get(row.authority) ?? { state: 'missing' }, planning)),
  ])
  const [issued] = await carryOut([plan], authorities, request)
  return issued as Issued
}

function planRenewal(row: Renewable, authority: Authority, planning: Planning): Plan {
  const { store, config, kubeconfigs, read } = planning
  const authorityBase = AUTHORITIES.find(({ name }) => name === row.authority)?.baseName ?? row.authority
  // What is wrong with the CA is said already.
  if (authority.state === 'faulty') return NOTHING
  if (authority.state === 'missing') {
    return refusal(
      `certs: cannot renew ${row.name}: its CA "${store.path(authorityBase, 'crt')}" is missing; put it there`,
    )
  }
  const { certificate: old } = held(row, store, kubeconfigs, read)
  // Whatever else it holds, a kubelet without a certificate cannot use it.
  const isUseless = row === KUBELET_CLIENT && old.state === 'damaged'
  if (old.state === 'absent' || isUseless) return planMissing(row, authority, planning)
  if (authority.state === 'kept' && authority.key === undefined) {
    return remark(`Detected external ${authorityBase}, ${row.longName} can't be renewed`)
  }
  if (old.state === 'damaged') {
    return refusal(
      `certs: cannot renew "${old.path}": ${old.reason}; delete it (and its key), and run 'certs renew ${row.name}' again`,
    )
  }
  if ('kubeconfig' in row && row !== KUBELET_CLIENT && !isEmbedded(old.text)) {
    return refusal(
      `certs: cannot renew "${old.path}": its client certificate is in a file of its own; renew that where it comes from, or delete the kubeconfig and run 'certs renew ${row.name}' again`,
    )
  }
  const make = (key: PrivateKey, signer: (name: AuthorityName) => Signer): Made => {
    const by = signer(row.authority)
    const template = renewedTemplate(identityOf(row, old.value, planning), config, planning.now, by.certificate)
    const bytes = certificate(template, key, issuerOf(by))
    return { files: filesOf(row, bytes, key, by.certificate, planning), messages: [`${row.longName} renewed`] }
  }
  return { ...NOTHING, steps: [{ make }], warnings: nameWarnings(row, old.value, planning) }
}

/** One that is not there is made as init makes it. */
function planMissing(row: Renewable, authority: Authority, planning: Planning): Plan {
  const { config, store, now, read, kubeconfigs: folder, all } = planning
  const missing = remark(`MISSING! ${row.longName}`)
  // Nobody here can sign it, or wants it back who did not name it.
  const isExternal = authority.state === 'kept' && authority.key === undefined
  if (all && (isExternal || !isMadeByAll(row))) return missing
  const planned =
    'leaf' in row
      ? planLeaf(row.leaf, authority, store, config, now)
      : planKubeconfig(row.kubeconfig, {
          config,
          authority,
          authorityPath: store.path('ca', 'crt'),
          folder,
          read: path => (row === KUBELET_CLIENT ? undefined : read(path)),
          now,
        })
  return joinPlans([missing, planned])
}

/** Whom a certificate names and what for: what the old one says, but for names that are to be rebuilt. */
export function identityOf(
  row: Renewable,
  old: Certificate,
  { config, rebuildNames }: Pick<RenewalRequest, 'config' | 'rebuildNames'>,
): Pick<CertificateTemplate, 'subject' | 'names' | 'usages'> {
  const spec: readonly Usage[] = 'leaf' in row ? row.leaf.usages : ['clientAuth']
  const known = Object.entries(USAGE_OIDS).filter(([, oid]) => old.usages?.includes(oid))
  const usages = known.length > 0 ? known.map(([usage]) => usage as Usage) : spec
  return { subject: old.subject, names: rebuildNames ? namesOf(row, config) : old.names, usages }
}

function namesOf(row: Renewable, config: InitConfig): AlternativeNames {
  return 'leaf' in row ? leafIdentity(row.leaf, config).names : { dnsNames: [], ipAddresses: [] }
}

/** Names that the cluster has come to since are said: the old certificate does not have them. */
function nameWarnings(row: Renewable, old: Certificate, { config, rebuildNames }: Planning): string[] {
  if (rebuildNames) return []
  const faults = identityFaults(old, { names: namesOf(row, config), usages: [] })
  const how = "'--rebuild-names' takes all names of the configuration"
  return faults.length === 0 ? [] : [`certs: ${row.name} is renewed as it was, but ${enumerate(faults)}; ${how}`]
}

function filesOf(
  row: Renewable,
  bytes: Uint8Array,
  key: PrivateKey,
  authority: Certificate,
  { store, kubeconfigs, read }: Planning,
): FileEntry[] {
  const pem = { certificate: formatCertificate(bytes), key: formatPrivateKey(key) }
  if ('leaf' in row) {
    const { baseName } = row.leaf
    return [
      { path: store.path(baseName, 'key'), mode: MODE.secret, content: pem.key },
      { path: store.path(baseName, 'crt'), mode: MODE.certificate, content: pem.certificate },
    ]
  }
  const path = posix.join(kubeconfigs, row.name)
  const config = renewedKubeconfig(read(path) ?? '', { ...pem, authority: formatCertificate(authority.bytes) })
  return [{ path, mode: MODE.secret, content: stringify(config) }]
}

/** Why a release has no such certificate, for one that is asked for by name; undefined when it has. */
export function absenceOf(row: Renewable, { cluster, kubeadm }: InitConfig): string | undefined {
  if ('kubeconfig' in row && !isSince(kubeadm, row.kubeconfig.since)) {
    return `kubeadm ${formatVersion(kubeadm)} has none; leave it`
  }
  if (row.authority !== 'etcd-ca' || cluster.etcd.external === undefined) return undefined
  return 'etcd is external, so its certificates are not of this cluster; renew them where they come from'
}
