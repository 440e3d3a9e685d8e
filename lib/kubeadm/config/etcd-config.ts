/** `etcd`: one of our own, or somebody else's. Source: kubeadm v1beta4 SetDefaults_Etcd, ValidateEtcd (v1.36). */

import { parseAddress } from '../../base/address.ts'
import { isSubdomain, isWildcardSubdomain, SUBDOMAIN_RULE } from '../../base/dns-names.ts'
import { parseUrl } from '../../base/go/url-parts.ts'
import type { EnvVar, Etcd, ExternalEtcd, LocalEtcd } from '../../base/kubeadm.ts'
import { KUBERNETES } from '../../base/paths.ts'
import type { Draft } from './draft-config.ts'
import { checkArguments, completeEnvironment } from './extra-args.ts'
import type { Finding } from './findings.ts'
import { isImageRepository } from './image-reference.ts'

const KIND = 'ClusterConfiguration'

/** Local etcd unless an external one is given. */
export function completeEtcd(draft: Draft<Etcd> | null | undefined): Etcd {
  const { local, external } = draft ?? {}
  return {
    ...((local || !external) && { local: completeLocal(local ?? {}) }),
    ...(external && { external: completeExternal(external) }),
  }
}

function completeLocal(draft: Draft<LocalEtcd>): LocalEtcd {
  const { extraEnvs, ...rest } = draft as Partial<LocalEtcd>
  return {
    ...rest,
    dataDir: rest.dataDir || KUBERNETES.etcd,
    ...(extraEnvs?.length && { extraEnvs: completeEnvironment(extraEnvs as readonly EnvVar[]) }),
  }
}

function completeExternal(draft: Draft<ExternalEtcd>): ExternalEtcd {
  const { endpoints, httpEndpoints, caFile, certFile, keyFile } = draft as Partial<ExternalEtcd>
  const http = httpEndpoints?.length ? httpEndpoints : endpoints
  return {
    endpoints: endpoints ?? [],
    ...(http?.length && { httpEndpoints: http }),
    caFile: caFile ?? '',
    certFile: certFile ?? '',
    keyFile: keyFile ?? '',
  }
}

/** All faults of `etcd`. */
export function checkEtcd({ local, external }: Etcd): Finding[] {
  if (local !== undefined && external !== undefined) {
    return [
      {
        kind: KIND,
        field: 'etcd',
        reason: 'local and external exclude each other; keep the one that the cluster is to use',
      },
    ]
  }
  return [...(local ? checkLocal(local) : []), ...(external ? checkExternal(external) : [])]
}

function checkLocal(local: LocalEtcd): Finding[] {
  return [
    ...checkAbsolutePath(KIND, 'etcd.local.dataDir', local.dataDir),
    ...checkNames('etcd.local.serverCertSANs', local.serverCertSANs),
    ...checkNames('etcd.local.peerCertSANs', local.peerCertSANs),
    ...checkRepository('etcd.local.imageRepository', local.imageRepository),
    ...checkArguments(KIND, 'etcd.local.extraArgs', local.extraArgs),
  ]
}

function checkExternal({ endpoints, httpEndpoints = [], caFile, certFile, keyFile }: ExternalEtcd): Finding[] {
  const place = { kind: KIND, field: 'etcd.external' }
  const findings: Finding[] = []
  if ((certFile === '') !== (keyFile === '')) {
    findings.push({ ...place, reason: 'either both or none of certFile and keyFile must be set; add the other' })
  }
  if (certFile !== '' && keyFile !== '' && caFile === '') {
    findings.push({ ...place, reason: 'certFile and keyFile require caFile; set it' })
  }
  if (endpoints.length === 0) {
    const reason = 'at least one endpoint must be given; write it like "https://etcd.example.com:2379"'
    findings.push({ kind: KIND, field: 'etcd.external.endpoints', reason })
  }
  const secure = caFile !== '' || certFile !== '' || keyFile !== ''
  return [
    ...findings,
    ...checkUrls('etcd.external.endpoints', endpoints, secure),
    ...checkUrls('etcd.external.httpEndpoints', httpEndpoints, false),
    ...Object.entries({ caFile, certFile, keyFile }).flatMap(([name, path]) =>
      path === '' ? [] : checkAbsolutePath(KIND, `etcd.external.${name}`, path),
    ),
  ]
}

function checkUrls(field: string, urls: readonly string[], secure: boolean): Finding[] {
  return urls.flatMap(text => {
    const url = parseUrl(text)
    const reason = urlReason(url, secure)
    return reason === undefined ? [] : [{ kind: KIND, field, value: text, reason }]
  })
}

function urlReason(url: ReturnType<typeof parseUrl>, secure: boolean): string | undefined {
  const advice = 'write it like "https://etcd.example.com:2379"'
  if ('reason' in url) return `it is not a URL: ${url.reason}; ${advice}`
  if (secure && url.scheme !== 'https')
    return `the URL must be using the HTTPS scheme, as TLS files are given; ${advice}`
  return url.scheme === '' ? `the URL has no scheme; ${advice}` : undefined
}

/** Names for certificates: addresses, DNS names, DNS names after `*.`. Source: kubeadm ValidateCertSANs (v1.36). */
export function checkNames(field: string, names: readonly string[] | null | undefined): Finding[] {
  return (names ?? [])
    .filter(name => !isSubdomain(name) && !isWildcardSubdomain(name) && parseAddress(name) === undefined)
    .map(value => ({
      kind: KIND,
      field,
      value,
      reason: `it is neither an IP address nor a DNS name, with or without "*.": ${SUBDOMAIN_RULE}`,
    }))
}

/** Source: kubeadm ValidateImageRepository (v1.36). */
export function checkRepository(field: string, repository: string | undefined): Finding[] {
  if (!repository || isImageRepository(repository)) return []
  const reason = 'the format of the image repository is invalid; write it like "registry.example.com:5000/k8s"'
  return [{ kind: KIND, field, value: repository, reason }]
}

/** Source: kubeadm ValidateAbsolutePath (v1.36). */
export function checkAbsolutePath(kind: string, field: string, path: string): Finding[] {
  if (path.startsWith('/')) return []
  return [{ kind, field, value: path, reason: 'path is not absolute; begin it with "/"' }]
}
