/**
 * A run: certificates, keys and kubeconfigs. It is planned whole, refused with all faults at once, and only then
 * are all keys generated at once and everything signed in kubeadm's order.
 */

import { KubestepError } from '../../base/errors.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import type { FileEntry } from '../../machine/files.ts'
import { type Authority, planAuthority } from './authority.ts'
import {
  AUTHORITIES,
  type AuthorityName,
  type AuthoritySpec,
  CERTIFICATES,
  type CertificateName,
  type CertificateSpec,
  isLeaf,
  LEAVES,
  SERVICE_ACCOUNT,
} from './certificates.ts'
import { joinPlans, type Made, NOTHING, type Plan, placed, remark, type Signer } from './credential-plan.ts'
import { isExternal, openStore, type Read } from './credential-store.ts'
import { generateKeys, keyAlgorithm } from './keys.ts'
import { planKubeconfig } from './kubeconfig-plan.ts'
import { KUBECONFIGS, type KubeconfigName } from './kubeconfigs.ts'
import { planLeaf } from './leaf.ts'
import { planServiceAccount } from './service-account.ts'

export interface IssueRequest {
  readonly config: InitConfig
  /** Where a file of the host really lies, for messages. */
  readonly place?: (path: string) => string
  /** Reads a file of the host. */
  readonly read: Read
  /** The start of the run; every certificate's dates come from it. */
  readonly now: Date
  /** What to make; any order, the result has kubeadm's. */
  readonly certificates: readonly (CertificateName | typeof SERVICE_ACCOUNT)[]
  readonly kubeconfigs: readonly KubeconfigName[]
  /** Where kubeconfigs lie, e.g. `/etc/kubernetes`; certificates lie where the configuration says. */
  readonly directories: { readonly kubeconfigs: string }
}

export interface Issued {
  /** What is to be written; nothing when all is there. */
  readonly files: readonly FileEntry[]
  /** Existing CAs, and kubeconfigs of an external CA: a dry run takes them along into its folder. */
  readonly kept: readonly FileEntry[]
  /** Lines as kubeadm prints them. */
  readonly messages: readonly string[]
  readonly warnings: readonly string[]
}

/** All certificates and the service account pair, in kubeadm's order. */
export const ALL_CERTIFICATES: readonly (CertificateName | typeof SERVICE_ACCOUNT)[] = [
  ...CERTIFICATES.map(({ name }) => name),
  SERVICE_ACCOUNT,
]

/** Makes what is asked for and not there. Throws a KubestepError with every fault, one per line; then nothing was made. */
export async function issueCredentials(request: IssueRequest): Promise<Issued> {
  const { authorities, plan } = planRun(request)
  if (plan.faults.length > 0)
    throw new KubestepError(placed([...plan.faults, ...plan.warnings].join('\n'), request.place))
  const count = plan.steps.filter(step => 'make' in step).length
  const keys = await generateKeys(keyAlgorithm(request.config.cluster), count)
  const { files, messages } = carryOut(plan, keys, authorities)
  return { files, kept: plan.kept, messages, warnings: plan.warnings }
}

/** Whether a CA is there without its key, so that nothing can be signed with it here. */
export function isExternalAuthority(config: InitConfig, name: 'ca' | 'front-proxy-ca', read: Read): boolean {
  return isExternal(openStore(config.cluster.certificatesDir, read), name)
}

type Authorities = ReadonlyMap<AuthorityName, Authority>

function planRun(request: IssueRequest): { readonly authorities: Authorities; readonly plan: Plan } {
  const { config, read, now, certificates, kubeconfigs, directories } = request
  const store = openStore(config.cluster.certificatesDir, read)
  const folder = directories.kubeconfigs
  const specs = CERTIFICATES.filter(({ name }) => certificates.includes(name))
  const planned = new Map(
    neededAuthorities(request).map(spec => {
      return [spec.name, planAuthority(spec, certificates.includes(spec.name), store, config, now)]
    }),
  )
  const authorityOf = (name: AuthorityName): Authority => planned.get(name)?.authority ?? { state: 'missing' }
  const planOf = (spec: CertificateSpec): Plan => {
    if (isSkipped(spec, config)) return skipped(spec)
    if (!isLeaf(spec)) return planned.get(spec.name)?.plan ?? NOTHING
    return planLeaf(spec, authorityOf(spec.authority), store, config, now)
  }
  const kubeconfigPlanning = {
    config,
    authority: authorityOf('ca'),
    authorityPath: store.path('ca', 'crt'),
    folder,
    read,
    now,
  }
  const plan = joinPlans([
    // A CA that is not asked for, but signs something that is, has its faults said; nothing else.
    ...[...planned].filter(([name]) => !certificates.includes(name)).map(([, { plan: its }]) => its),
    ...(certificates.length > 1 ? [remark(`[certs] Using certificateDir folder "${store.folder}"`)] : []),
    ...specs.map(planOf),
    ...(certificates.includes(SERVICE_ACCOUNT) ? [planServiceAccount(store, isExternal(store, 'ca'))] : []),
    ...(kubeconfigs.length > 1 ? [remark(`[kubeconfig] Using kubeconfig folder "${folder}"`)] : []),
    ...KUBECONFIGS.filter(({ name }) => kubeconfigs.includes(name)).map(spec =>
      planKubeconfig(spec, kubeconfigPlanning),
    ),
  ])
  return { authorities: new Map([...planned].map(([name, { authority }]) => [name, authority])), plan }
}

/** The CAs that are asked for, and those that sign what is. */
function neededAuthorities({ config, certificates, kubeconfigs }: IssueRequest): AuthoritySpec[] {
  const names: readonly string[] = [
    ...certificates,
    ...LEAVES.filter(({ name }) => certificates.includes(name)).map(({ authority }) => authority),
    ...(kubeconfigs.length > 0 ? ['ca'] : []),
  ]
  return AUTHORITIES.filter(spec => names.includes(spec.name) && !isSkipped(spec, config))
}

/** With an external etcd nothing is made for etcd. */
function isSkipped(spec: CertificateSpec, { cluster }: InitConfig): boolean {
  return cluster.etcd.external !== undefined && (isLeaf(spec) ? spec.authority : spec.name) === 'etcd-ca'
}

function skipped(spec: CertificateSpec): Plan {
  const what = isLeaf(spec) ? 'certificate' : 'certificate authority'
  return remark(`[certs] External etcd mode: Skipping ${spec.baseName} ${what} generation`)
}

function carryOut(plan: Plan, keys: Awaited<ReturnType<typeof generateKeys>>, authorities: Authorities): Made {
  const signers = new Map<AuthorityName, Signer>()
  for (const [name, authority] of authorities) {
    if (authority.state === 'kept' && authority.key !== undefined) {
      signers.set(name, { certificate: authority.certificates[0], key: authority.key })
    }
  }
  const signer = (name: AuthorityName): Signer => {
    const found = signers.get(name)
    if (found === undefined) throw new Error(`the plan has no ${name} to sign with`)
    return found
  }
  const fresh = keys.values()
  const made = plan.steps.map(step => {
    if (!('make' in step)) return step
    const { value: key } = fresh.next()
    if (key === undefined) throw new Error('the plan needs more keys than were generated')
    const result = step.make(key, signer)
    if (result.authority !== undefined) signers.set(result.authority.name, result.authority)
    return result
  })
  return { files: made.flatMap(({ files }) => files), messages: made.flatMap(({ messages }) => messages) }
}
