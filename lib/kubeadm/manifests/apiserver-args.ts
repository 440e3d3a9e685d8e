/** Arguments of kube-apiserver. Source: kubeadm phases/controlplane/manifests.go (v1.18.9 to v1.36.2). */
import type { InitConfig } from '../../base/kubeadm.ts'
import { authorizationMode } from './authorization.ts'
import { type ArgumentRow, argumentValue, type PodInput, pkiFile } from './command-line.ts'
import { dualStackGate } from './dual-stack.ts'
import { etcdLoopbackUrl } from './etcd-endpoints.ts'

const pki =
  (name: string) =>
  ({ config }: PodInput): string =>
    pkiFile(config, name)

export const APISERVER_ARGUMENTS: readonly ArgumentRow[] = [
  { name: 'advertise-address', value: ({ config }) => config.init.localAPIEndpoint.advertiseAddress },
  { name: 'allow-privileged', value: 'true' },
  { name: 'authorization-mode', value: ({ config }) => authorizationMode(config).mode },
  { name: 'client-ca-file', value: pki('ca.crt') },
  { name: 'enable-admission-plugins', value: 'NodeRestriction' },
  { name: 'enable-bootstrap-token-auth', value: 'true' },
  { name: 'etcd-cafile', value: ({ config }) => etcdAccess(config).caFile },
  { name: 'etcd-certfile', value: ({ config }) => etcdAccess(config).certFile },
  { name: 'etcd-keyfile', value: ({ config }) => etcdAccess(config).keyFile },
  { name: 'etcd-servers', value: ({ config }) => etcdAccess(config).servers },
  dualStackGate,
  {
    name: 'insecure-port',
    value: '0',
    // CHANGELOG 1.22.0 (k/k PR 102121).
    releases: { '1.18': true, '1.22': false },
  },
  { name: 'kubelet-client-certificate', value: pki('apiserver-kubelet-client.crt') },
  { name: 'kubelet-client-key', value: pki('apiserver-kubelet-client.key') },
  { name: 'kubelet-preferred-address-types', value: 'InternalIP,ExternalIP,Hostname' },
  { name: 'proxy-client-cert-file', value: pki('front-proxy-client.crt') },
  { name: 'proxy-client-key-file', value: pki('front-proxy-client.key') },
  { name: 'requestheader-allowed-names', value: 'front-proxy-client' },
  { name: 'requestheader-client-ca-file', value: pki('front-proxy-ca.crt') },
  { name: 'requestheader-extra-headers-prefix', value: 'X-Remote-Extra-' },
  { name: 'requestheader-group-headers', value: 'X-Remote-Group' },
  { name: 'requestheader-username-headers', value: 'X-Remote-User' },
  { name: 'secure-port', value: ({ config }) => String(config.init.localAPIEndpoint.bindPort) },
  {
    name: 'service-account-issuer',
    value: ({ config }) => `https://kubernetes.default.svc.${config.cluster.networking.dnsDomain}`,
    releases: { '1.20': true }, // CHANGELOG 1.20.0 (k/k PR 93258).
  },
  { name: 'service-account-key-file', value: pki('sa.pub') },
  // CHANGELOG 1.20.0 (k/k PR 93258).
  { name: 'service-account-signing-key-file', value: pki('sa.key'), releases: { '1.20': true } },
  { name: 'service-cluster-ip-range', value: ({ config }) => config.cluster.networking.serviceSubnet },
  { name: 'tls-cert-file', value: pki('apiserver.crt') },
  { name: 'tls-private-key-file', value: pki('apiserver.key') },
]

interface EtcdAccess {
  readonly servers: string
  readonly caFile?: string
  readonly certFile?: string
  readonly keyFile?: string
}

function etcdAccess(config: InitConfig): EtcdAccess {
  const { external, local } = config.cluster.etcd
  if (external !== undefined) {
    const { endpoints, caFile, certFile, keyFile } = external
    return {
      servers: endpoints.join(','),
      ...(caFile && { caFile }),
      ...(certFile && keyFile && { certFile, keyFile }),
    }
  }
  return {
    servers: argumentValue(local?.extraArgs, 'advertise-client-urls') ?? etcdLoopbackUrl(config),
    caFile: pkiFile(config, 'etcd/ca.crt'),
    certFile: pkiFile(config, 'apiserver-etcd-client.crt'),
    keyFile: pkiFile(config, 'apiserver-etcd-client.key'),
  }
}
