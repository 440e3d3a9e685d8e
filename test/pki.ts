/** Configurations and hosts for tests of certificates and kubeconfigs. */
import type { ClusterConfiguration, InitConfig, InitConfiguration } from '../lib/base/kubeadm.ts'
import { parseVersion } from '../lib/base/version.ts'
import { ALL_CERTIFICATES, type Issued, type IssueRequest, issueCredentials } from '../lib/kubeadm/credentials/issue.ts'
import { kubeconfigsOf } from '../lib/kubeadm/credentials/kubeconfigs.ts'
import type { FileEntry } from '../lib/machine/files.ts'

export const NOW: Date = new Date('2026-11-23T14:20:00.500Z')
export const PKI = '/etc/kubernetes/pki'

/** A complete configuration for node n1 at 10.0.0.5, with what is given on top. */
export function initConfig(
  release = 'v1.36.2',
  cluster: Partial<ClusterConfiguration> = {},
  init: Partial<InitConfiguration> = {},
): InitConfig {
  const version = parseVersion(release)
  if (version === undefined) throw new Error(`${release} is not a version`)
  return {
    init: {
      bootstrapTokens: [],
      nodeRegistration: { name: 'n1', criSocket: 'unix:///var/run/containerd/containerd.sock', taints: [] },
      localAPIEndpoint: { advertiseAddress: '10.0.0.5', bindPort: 6443 },
      timeouts: {
        controlPlaneComponentHealthCheck: '4m0s',
        kubeletHealthCheck: '4m0s',
        kubernetesAPICall: '1m0s',
        etcdAPICall: '2m0s',
        tlsBootstrap: '5m0s',
        discovery: '5m0s',
        upgradeManifests: '5m0s',
      },
      ...init,
    },
    cluster: {
      kubernetesVersion: release,
      clusterName: 'kubernetes',
      certificatesDir: PKI,
      imageRepository: 'registry.k8s.io',
      encryptionAlgorithm: 'ECDSA-P256',
      certificateValidityPeriod: '8760h0m0s',
      caCertificateValidityPeriod: '87600h0m0s',
      networking: { serviceSubnet: '10.96.0.0/12', dnsDomain: 'cluster.local' },
      apiServer: {},
      controllerManager: {},
      scheduler: {},
      etcd: { local: { dataDir: '/var/lib/etcd' } },
      dns: {},
      proxy: {},
      ...cluster,
    },
    kubelet: { document: {}, userSupplied: false },
    kubeProxy: { document: {}, userSupplied: false },
    version,
    kubeadm: version,
  }
}

/** A host in memory: files by path. */
export type Host = Readonly<Record<string, string>>

export function hostWith(files: readonly FileEntry[], before: Host = {}): Host {
  return { ...before, ...Object.fromEntries(files.map(({ path, content }) => [path, String(content)])) }
}

/** The host without the files whose path ends so. */
export function without(host: Host, ...endings: readonly string[]): Host {
  return Object.fromEntries(Object.entries(host).filter(([path]) => !endings.some(ending => path.endsWith(ending))))
}

/** A run over a host; everything is asked for unless the request says otherwise. */
export function issue(config: InitConfig, host: Host = {}, request: Partial<IssueRequest> = {}): Promise<Issued> {
  return issueCredentials({
    config,
    read: path => host[path],
    now: NOW,
    certificates: ALL_CERTIFICATES,
    kubeconfigs: kubeconfigsOf(config.kubeadm).map(({ name }) => name),
    directories: { kubeconfigs: '/etc/kubernetes' },
    ...request,
  })
}
