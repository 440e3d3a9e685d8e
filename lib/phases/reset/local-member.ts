/** This node's member of etcd, as its manifests describe it. */
import { X509Certificate } from 'node:crypto'
import { hostOfUrl, isLoopback, joinHostPort, parseAddress } from '../../base/address.ts'
import { KUBERNETES } from '../../base/paths.ts'
import { parse } from '../../base/yaml.ts'
import { openApi } from '../../cluster/api/api-client.ts'
import { readCredentials } from '../../cluster/api/kubeconfig-credentials.ts'
import { etcdEndpoints } from '../../cluster/etcd/etcd-pods.ts'
import type { EtcdCredentials } from '../../cluster/etcd/gateway.ts'
import { ETCD_CLIENT_PORT, ETCD_PEER_PORT } from '../../kubeadm/manifests/etcd-endpoints.ts'
import { podArgument } from '../../kubeadm/manifests/written-pod.ts'
import { readFile } from '../../machine/files.ts'

/** What of a local etcd stands in its manifest. */
export interface LocalMember {
  readonly peerUrl: string
  /** Where it and the members that it joined serve clients; its own first. */
  readonly endpoints: readonly string[]
  readonly files: { readonly ca: string; readonly certificate: string; readonly key: string }
}

const MANIFEST = `${KUBERNETES.manifests}/etcd.yaml`
const API_SERVER = `${KUBERNETES.manifests}/kube-apiserver.yaml`

/** The member, or the one that was about to be; undefined where there is none. */
export async function memberHere(): Promise<LocalMember | undefined> {
  const text = readFile('/', MANIFEST)
  if (text !== undefined) return localMember(text)
  return externalEtcd() === undefined ? begunMember() : undefined
}

/** Where this node's API server finds an etcd that is not its own; undefined where there is none. */
export function externalEtcd(): string | undefined {
  const text = readFile('/', API_SERVER)
  return text === undefined ? undefined : externalServers(text)
}

/** The same, from the manifest of an API server. */
export function externalServers(manifest: string): string | undefined {
  const servers = podArgument(parse(manifest), 'etcd-servers')
  const isOwn = servers?.split(',').some(url => {
    const address = URL.canParse(url) ? parseAddress(hostOfUrl(url)) : undefined
    return address !== undefined && isLoopback(address)
  })
  return isOwn ? undefined : servers
}

/** The member as its manifest describes it; undefined when that is none of kubeadm's. */
export function localMember(manifest: string): LocalMember | undefined {
  const pod = parse(manifest)
  const told = (flag: string): string | undefined => podArgument(pod, flag)
  const [peerUrl, cluster = '', clients = ''] = [
    'initial-advertise-peer-urls',
    'initial-cluster',
    'listen-client-urls',
  ].map(told)
  const [ca, server] = [told('trusted-ca-file'), told('cert-file')]
  if (peerUrl === undefined || ca === undefined || server === undefined) return undefined
  const peers = cluster
    .split(',')
    .map(member => member.slice(member.indexOf('=') + 1))
    .filter(url => url !== '' && url !== peerUrl)
  const folder = server.replace(/\/[^/]*$/, '')
  return {
    peerUrl,
    endpoints: [...clients.split(',').filter(Boolean), ...peers.map(clientUrl)],
    files: { ca, certificate: `${folder}/healthcheck-client.crt`, key: `${folder}/healthcheck-client.key` },
  }
}

// kubeadm gives both the same host.
function clientUrl(peerUrl: string): string {
  return `https://${joinHostPort(hostOfUrl(peerUrl), ETCD_CLIENT_PORT)}`
}

/** What etcd lets this node in with; undefined where some of it is missing. */
export function credentialsOf({ files }: LocalMember): EtcdCredentials | undefined {
  const [ca, certificate, key] = [files.ca, files.certificate, files.key].map(path => readFile('/', path))
  return ca === undefined || certificate === undefined || key === undefined ? undefined : { ca, certificate, key }
}

/**
 * The member that a join was about to start when it was killed: etcd knows of it, and its manifest is not written yet.
 * Its certificate tells its address, and the API alone where etcd is.
 */
async function begunMember(): Promise<LocalMember | undefined> {
  const { adminConf, certificates } = KUBERNETES
  const [admin, peer] = [adminConf, `${certificates}/etcd/peer.crt`].map(path => readFile('/', path))
  if (admin === undefined || peer === undefined) return undefined
  const names = new X509Certificate(peer).subjectAltName ?? ''
  const address = [...names.matchAll(/IP Address:([^,\s]+)/g)].map(([, ip = '']) => ip).find(isOwn)
  if (address === undefined) return undefined
  const api = openApi(readCredentials(admin, adminConf, path => readFile('/', path)))
  const endpoints = await etcdEndpoints(api)
    .catch(() => [])
    .finally(api.close)
  const folder = `${certificates}/etcd`
  return {
    peerUrl: `https://${joinHostPort(address, ETCD_PEER_PORT)}`,
    endpoints,
    files: {
      ca: `${folder}/ca.crt`,
      certificate: `${folder}/healthcheck-client.crt`,
      key: `${folder}/healthcheck-client.key`,
    },
  }
}

function isOwn(text: string): boolean {
  const address = parseAddress(text)
  return address !== undefined && !isLoopback(address)
}
