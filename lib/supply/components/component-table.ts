/** The files that a node needs besides images, and where each comes from. */
import { KubestepError } from '../../base/errors.ts'
import { isSince, parseVersion, type Since, valueSince } from '../../base/version.ts'
import { KUBERNETES_TRUST, type Trust } from '../fetch/fulcio.ts'
import { type Mirrors, NO_MIRRORS } from '../fetch/mirrors.ts'

export type ComponentName = 'kubelet' | 'kubectl' | 'cni-plugins'

/** A version and an architecture in Go's name; `ci/v...` for a build of Kubernetes' own CI. */
export interface Wish {
  readonly version: string
  readonly arch: string
}

export interface Component {
  readonly name: ComponentName
  /** Its own version for a Kubernetes version. */
  readonly version: (wish: Wish) => string
  /** Where it is published: what comes before `path`, first choice first. */
  readonly bases: (wish: Wish) => readonly string[]
  /** With a SHA-256 beside it, at the same address with `.sha256`. */
  readonly path: (wish: Wish) => string
  /** An archive has to be unpacked; a binary is used as it is. */
  readonly kind: 'binary' | 'archive'
  /** Who signs a version of it; absent where nobody does. */
  readonly signer?: (wish: Wish) => Trust | undefined
}

/**
 * CNI plugins work with any Kubernetes: what they have to fit is the kernel and the firewall of the host. So old
 * releases get new plugins too; a row here only for a release that needs it.
 * Source: kubernetes build/dependencies.yaml (v1.36).
 */
export const CNI_PLUGINS: Since<string> = { '1.18': 'v1.9.1' }

/** dl.k8s.io redirects to the second one. CI builds lie in a bucket of their own (kubeadm util/version.go, v1.36). */
export const KUBERNETES_BASES: Readonly<Record<'release' | 'ci', readonly string[]>> = {
  release: ['https://dl.k8s.io/release', 'https://cdn.dl.k8s.io/release'],
  ci: ['https://dl.k8s.io/ci', 'https://storage.googleapis.com/k8s-release-dev/ci'],
}

const CNI_BASES = ['https://github.com/containernetworking/plugins/releases/download'] as const

export const COMPONENTS: readonly Component[] = [
  kubernetesBinary('kubelet'),
  kubernetesBinary('kubectl'),
  {
    name: 'cni-plugins',
    version: cniVersion,
    bases: () => CNI_BASES,
    path: wish => `${cniVersion(wish)}/cni-plugins-linux-${wish.arch}-${cniVersion(wish)}.tgz`,
    kind: 'archive',
  },
]

/** Hosts that have files and no images. */
export const FILE_HOSTS: readonly string[] = [...KUBERNETES_BASES.release, ...KUBERNETES_BASES.ci, ...CNI_BASES].map(
  base => new URL(base).host,
)

/** Every address of a component, in the order in which they are tried. */
export function sources(component: Component, wish: Wish, mirrors: Mirrors = NO_MIRRORS): string[] {
  return addresses(component.bases(wish), component.path(wish), mirrors)
}

/** Whether these addresses of it are mirrors, and not who publishes it. */
export function isMirrored(component: Component, wish: Wish, urls: readonly string[]): boolean {
  return !urls.every(url => component.bases(wish).some(base => url.startsWith(`${base}/`)))
}

/** Every address of a text that names a version, e.g. `release/stable-1.36.txt`. */
export function labelSources(path: string, mirrors: Mirrors = NO_MIRRORS): string[] {
  const [bucket, ...rest] = path.split('/')
  return addresses(KUBERNETES_BASES[bucket === 'ci' ? 'ci' : 'release'], rest.join('/'), mirrors)
}

/**
 * A mirror stands for the host of the first base (`MIRROR/release/v1.36.2/...`); one for all hosts may have it as its
 * first folder, too (`MIRROR/dl.k8s.io/release/v1.36.2/...`). With mirrors the hosts themselves are left alone.
 */
function addresses(bases: readonly string[], path: string, { files, hosts }: Mirrors): string[] {
  const { host, pathname } = new URL(bases[0] ?? '')
  const named = (hosts.get(host) ?? []).map(mirror => `${mirror}${pathname}/${path}`)
  const general = files.flatMap(mirror => [`${mirror}${pathname}/${path}`, `${mirror}/${host}${pathname}/${path}`])
  const mirrored = [...named, ...general]
  return mirrored.length > 0 ? mirrored : bases.map(base => `${base}/${path}`)
}

function kubernetesBinary(name: ComponentName): Component {
  return {
    name,
    version: ({ version }) => version,
    bases: ({ version }) => KUBERNETES_BASES[version.startsWith('ci/') ? 'ci' : 'release'],
    // The + of a CI build would mean a space to some servers.
    path: ({ version, arch }) => `${encodeURIComponent(version.replace(/^ci\//, ''))}/bin/linux/${arch}/${name}`,
    kind: 'binary',
    signer: ({ version }) => (isSigned(version) ? KUBERNETES_TRUST : undefined),
  }
}

/** Releases have signatures since v1.26; builds of the CI have none. Source: kubernetes KEP-3031. */
function isSigned(version: string): boolean {
  const parsed = parseVersion(version)
  return parsed !== undefined && isSince(parsed, '1.26')
}

function cniVersion({ version }: Wish): string {
  const parsed = parseVersion(version.replace(/^ci\//, ''))
  const found = parsed === undefined ? undefined : valueSince(CNI_PLUGINS, parsed)
  if (found !== undefined) return found
  throw new KubestepError(
    `components: cannot choose CNI plugins for "${version}": it is not a version from v1.18 on; write it like v1.36.2`,
  )
}
