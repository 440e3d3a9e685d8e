/** ClusterConfiguration: defaults and checks. Source: kubeadm v1beta4/defaults.go, ValidateClusterConfiguration (v1.36). */

import { DEFAULT_CA_VALIDITY, DEFAULT_VALIDITY } from '../../base/defaults.ts'
import { durationFault, parseDuration } from '../../base/duration.ts'
import type { ApiServer, ClusterConfiguration, EncryptionAlgorithm } from '../../base/kubeadm.ts'
import { KUBERNETES } from '../../base/paths.ts'
import { defaultImageRepository } from '../images/image-versions.ts'
import { completeControlPlaneEndpoint } from './api-endpoint.ts'
import type { Draft } from './draft-config.ts'
import { checkAbsolutePath, checkEtcd, checkNames, checkRepository, completeEtcd } from './etcd-config.ts'
import { checkArguments, completeComponent } from './extra-args.ts'
import { checkFeatureGates, featureNotices } from './features.ts'
import type { Checked, Finding } from './findings.ts'
import type { VersionChoice } from './kubernetes-version.ts'
import { checkNetworking, networkingNotices } from './networking.ts'

const KIND = 'ClusterConfiguration'

export const ENCRYPTION_ALGORITHMS: readonly EncryptionAlgorithm[] = [
  'ECDSA-P256',
  'ECDSA-P384',
  'RSA-2048',
  'RSA-3072',
  'RSA-4096',
]

export const DEFAULT_CERTIFICATES_DIR: string = KUBERNETES.certificates

/** The configuration with kubeadm's defaults, and all that is wrong with it. */
export function completeCluster(
  draft: Draft<ClusterConfiguration>,
  choice: VersionChoice,
  bindPort: number,
): Checked<ClusterConfiguration> {
  const endpoint = completeControlPlaneEndpoint(draft.controlPlaneEndpoint ?? '', bindPort)
  const value: ClusterConfiguration = {
    kubernetesVersion: choice.kubernetesVersion,
    clusterName: draft.clusterName || 'kubernetes',
    ...(endpoint.value !== undefined && { controlPlaneEndpoint: endpoint.value }),
    certificatesDir: draft.certificatesDir || DEFAULT_CERTIFICATES_DIR,
    imageRepository: draft.imageRepository || defaultImageRepository(choice.kubeadm),
    ...(draft.featureGates && { featureGates: draft.featureGates as Readonly<Record<string, boolean>> }),
    encryptionAlgorithm: draft.encryptionAlgorithm || 'RSA-2048',
    certificateValidityPeriod: draft.certificateValidityPeriod ?? DEFAULT_VALIDITY,
    caCertificateValidityPeriod: draft.caCertificateValidityPeriod ?? DEFAULT_CA_VALIDITY,
    networking: {
      serviceSubnet: draft.networking?.serviceSubnet || '10.96.0.0/12',
      ...(draft.networking?.podSubnet && { podSubnet: draft.networking.podSubnet }),
      dnsDomain: draft.networking?.dnsDomain || 'cluster.local',
    },
    apiServer: completeApiServer(draft.apiServer),
    controllerManager: completeComponent(draft.controllerManager),
    scheduler: completeComponent(draft.scheduler),
    etcd: completeEtcd(draft.etcd),
    dns: (draft.dns ?? {}) as ClusterConfiguration['dns'],
    proxy: (draft.proxy ?? {}) as ClusterConfiguration['proxy'],
  }
  return {
    value,
    findings: [...endpoint.findings, ...checkCluster(value, choice)],
    notices: [
      ...networkingNotices(value),
      ...validityNotices(value),
      ...featureNotices(value.featureGates ?? {}, choice.kubeadm),
    ],
  }
}

// Load balancers are often named in capitals; certificates want small letters.
function completeApiServer(draft: Draft<ApiServer> | null | undefined): ApiServer {
  const apiServer = completeComponent<ApiServer>(draft)
  const names = apiServer.certSANs?.map(name => name.toLowerCase())
  return { ...apiServer, ...(names && { certSANs: names }) }
}

function checkCluster(cluster: ClusterConfiguration, { kubeadm }: VersionChoice): Finding[] {
  const { dns, apiServer, controllerManager, scheduler, encryptionAlgorithm } = cluster
  const known = ENCRYPTION_ALGORITHMS.includes(encryptionAlgorithm)
  const algorithm = {
    kind: KIND,
    field: 'encryptionAlgorithm',
    value: encryptionAlgorithm,
    reason: `the algorithm is not known; use one of ${ENCRYPTION_ALGORITHMS.join(', ')}`,
  }
  return [
    ...checkRepository('dns.imageRepository', dns.imageRepository),
    ...checkNetworking(cluster, kubeadm),
    ...checkNames('apiServer.certSANs', apiServer.certSANs),
    ...checkArguments(KIND, 'apiServer.extraArgs', apiServer.extraArgs),
    ...checkArguments(KIND, 'controllerManager.extraArgs', controllerManager.extraArgs),
    ...checkArguments(KIND, 'scheduler.extraArgs', scheduler.extraArgs),
    ...checkAbsolutePath(KIND, 'certificatesDir', cluster.certificatesDir),
    ...checkFeatureGates(cluster.featureGates ?? {}, kubeadm),
    ...checkRepository('imageRepository', cluster.imageRepository),
    ...checkEtcd(cluster.etcd),
    ...(known ? [] : [algorithm]),
  ]
}

/** Source: kubeadm ValidateCertValidity (v1.36): only warnings. */
function validityNotices(cluster: ClusterConfiguration): string[] {
  const { certificateValidityPeriod: leaf, caCertificateValidityPeriod: ca } = cluster
  const rows: readonly (readonly [field: string, value: string, limit: string, of: string])[] = [
    ['certificateValidityPeriod', leaf, DEFAULT_VALIDITY, 'the recommended default for certificates'],
    ['caCertificateValidityPeriod', ca, DEFAULT_CA_VALIDITY, 'the recommended default for CA certificates'],
    ['certificateValidityPeriod', leaf, ca, 'caCertificateValidityPeriod'],
  ]
  return rows
    .filter(([, value, limit]) => isLonger(value, limit))
    .map(([field, value, limit, of]) => `config: ${KIND} ${field} "${value}" is more than ${of}, ${limit}`)
}

function isLonger(one: string, other: string): boolean {
  const readable = durationFault(one) === undefined && durationFault(other) === undefined
  return readable && parseDuration(one) > parseDuration(other)
}
