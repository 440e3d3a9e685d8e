/** Everything that an init writes, as values: credentials, manifests, the kubelet's files and the cluster's objects. */

import { randomBytes } from 'node:crypto'
import { KubestepError } from '../../base/errors.ts'
import type { JsonObject } from '../../base/json.ts'
import { KUBERNETES } from '../../base/paths.ts'
import { randomToken } from '../../base/token.ts'
import type { Flags } from '../../cli/options.ts'
import type { Call } from '../../cli/script.ts'
import { isSkipped } from '../../kubeadm/config/phase-names.ts'
import { ALL_CERTIFICATES, isExternalAuthority, issueCredentials } from '../../kubeadm/credentials/issue.ts'
import { kubeconfigsOf } from '../../kubeadm/credentials/kubeconfigs.ts'
import { type ClusterObject, clusterObjectsYaml } from '../../kubeadm/objects/cluster-object.ts'
import { clusterObjects } from '../../kubeadm/objects/cluster-objects.ts'
import { profilePatch } from '../../kubeadm/profile/profile-patch.ts'
import type { FileEntry } from '../../machine/files.ts'
import { controlPlane } from '../control-plane.ts'
import { etcd } from '../etcd.ts'
import { kubeletStart } from '../kubelet-start.ts'
import type { Phase } from '../phase.ts'
import { sayCredentials } from '../run/deliver.ts'
import type { OpenedPhase } from '../run/open-phase.ts'
import { loadPatches } from '../run/user-patches.ts'

export interface RenderedCluster {
  /** All files of the node, and `/cluster-objects.yaml`. */
  readonly files: readonly FileEntry[]
  readonly objects: readonly ClusterObject[]
  /** What opens the uploaded certificates; undefined when none are uploaded. */
  readonly certificateKey?: string
}

/** Renders what the configuration does not skip, saying what kubeadm says. Throws what the phases throw. */
export async function renderCluster(phase: OpenedPhase, call: Call, now: Date): Promise<RenderedCluster> {
  const { config, readCredential: read } = phase
  const { output, flags } = call
  const profile = flags.profile === 'ci' ? 'ci' : 'kubeadm'
  // A proxy that is there for the job has no place in the cluster's own Pods.
  const facts = profile === 'ci' ? { ...phase.facts, proxyEnvironment: [] } : phase.facts
  const skipped = config.init.skipPhases ?? []
  const patches = loadPatches(phase, output)
  const apply = (target: string, object: JsonObject): JsonObject =>
    patches(target, profilePatch(profile, target, object))
  refuseUpload(phase, flags)

  // Keys take the longest: they are generated while the rest is rendered.
  const issuing = issueCredentials({
    config,
    read,
    place: phase.place,
    now,
    certificates: ALL_CERTIFICATES.filter(name => !isSkipped(`certs/${name}`, skipped)),
    kubeconfigs: kubeconfigsOf(config.kubeadm).flatMap(({ name }) =>
      isSkipped(`kubeconfig/${name}`, skipped) ? [] : [name],
    ),
    directories: { kubeconfigs: flags['kubeconfig-dir'] ?? KUBERNETES.folder },
  })
  issuing.catch(() => {})

  const externalCa = isExternalAuthority(config, 'ca', read)
  const given = { config, facts, read: phase.read, readCredential: read, place: phase.place, externalCa, apply, now }
  const rest = await Promise.all(
    [etcd, controlPlane, kubeletStart]
      .map(row => ({ row, names: wantedNames(row, skipped) }))
      .filter(({ names }) => names.length > 0)
      .map(({ row, names }) => row.render(given, names)),
  )

  const issued = await issuing
  for (const warning of issued.warnings) output.warn(warning)
  sayCredentials(issued.messages, output)
  for (const { warnings = [], messages } of rest) {
    for (const warning of warnings) output.warn(warning)
    for (const message of messages) output.say(message)
  }

  const credentials = [...issued.kept, ...issued.files]
  const caPath = `${config.cluster.certificatesDir}/ca.crt`
  const ca = credentials.find(({ path }) => path === caPath)?.content ?? read(caPath) ?? ''
  const readNew = (path: string): string | undefined =>
    textOf(credentials.find(file => file.path === path)?.content) ?? read(path)
  const certificateKey = flags['upload-certs']
    ? (config.init.certificateKey ?? randomBytes(32).toString('hex'))
    : undefined
  const objects = clusterObjects(config, facts, {
    caCertificate: textOf(ca) ?? '',
    now,
    apply,
    kubeletStarted: !isSkipped('kubelet-start', skipped),
    ...(certificateKey !== undefined && {
      upload: { key: certificateKey, token: randomToken(), read: readNew },
    }),
  })
  const objectsFile = { path: '/cluster-objects.yaml', mode: 0o600, content: clusterObjectsYaml(objects) }
  return {
    files: [...credentials, ...rest.flatMap(({ files }) => files), objectsFile],
    objects,
    ...(certificateKey !== undefined && { certificateKey }),
  }
}

/** Source: kubeadm cmd/init.go (v1.36): what cannot be signed elsewhere must not be promised to joining nodes. */
function refuseUpload({ config, readCredential: read, place }: OpenedPhase, flags: Flags): void {
  if (!flags['upload-certs']) return
  const external = (['ca', 'front-proxy-ca'] as const).find(name => isExternalAuthority(config, name, read))
  if (external === undefined) return
  const key = place(`${config.cluster.certificatesDir}/${external}.key`)
  throw new KubestepError(
    `init: cannot upload certificates: "${key}" is kept elsewhere (external CA); leave --upload-certs out`,
  )
}

/** The sub-phases that are not skipped; its own name for a phase without any. */
function wantedNames({ name, subphases }: Phase, skipped: readonly string[]): readonly string[] {
  if (subphases.length === 0) return isSkipped(name, skipped) ? [] : [name]
  return subphases.filter(sub => !isSkipped(`${name}/${sub}`, skipped))
}

function textOf(content: string | Uint8Array | undefined): string | undefined {
  return content === undefined || typeof content === 'string' ? content : new TextDecoder().decode(content)
}
