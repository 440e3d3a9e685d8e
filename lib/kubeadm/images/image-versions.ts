/**
 * Which image versions and names each kubeadm release deploys. Rows are of the kubeadm release;
 * where a patch release brought a change to an older minor, the next minor's row takes it back.
 */
import { type Since, type Version, valueSince } from '../../base/version.ts'

export interface BundledVersions {
  /** Tag of the CoreDNS image. */
  readonly coredns: string
  /** Tag of the etcd image for a Kubernetes of kubeadm's own minor. */
  readonly etcd: string
  /** Tag of the pause (sandbox) image. */
  readonly pause: string
}

const versions = (coredns: string, etcd: string, pause: string): BundledVersions => ({ coredns, etcd, pause })

/**
 * Source: minikube's constants, one set per kubeadm patch release; seen in the sources of kubeadm
 * 1.18.9, 1.19.3, 1.20.5, 1.21.0, 1.22.4, 1.23.5, 1.24.3, 1.25.9, 1.26.1, 1.27.4, 1.28.3, 1.29.6, 1.30.0, 1.31.3,
 * 1.32.6, 1.33.5, 1.34.2, 1.35.3 and 1.36.2, which all agree.
 */
export const BUNDLED_VERSIONS: Since<BundledVersions> = {
  '1.18': versions('1.6.7', '3.4.3-0', '3.2'),
  '1.19': versions('1.7.0', '3.4.9-1', '3.2'),
  '1.19.1': versions('1.7.0', '3.4.13-0', '3.2'), // k/k PR 94536
  '1.21': versions('v1.8.0', '3.4.13-0', '3.4.1'),
  '1.22': versions('v1.8.4', '3.5.0-0', '3.5'),
  '1.22.17': versions('v1.8.4', '3.5.6-0', '3.5'),
  '1.23': versions('v1.8.6', '3.5.1-0', '3.6'),
  '1.23.14': versions('v1.8.6', '3.5.5-0', '3.6'), // k/k PR 113100
  '1.23.15': versions('v1.8.6', '3.5.6-0', '3.6'),
  '1.24': versions('v1.8.6', '3.5.3-0', '3.7'), // k/k PR 109471
  '1.24.8': versions('v1.8.6', '3.5.5-0', '3.7'), // k/k PR 113099
  '1.24.9': versions('v1.8.6', '3.5.6-0', '3.7'),
  '1.25': versions('v1.9.3', '3.5.4-0', '3.8'), // k/k PR 110033
  '1.25.4': versions('v1.9.3', '3.5.5-0', '3.8'), // k/k PR 112489
  '1.25.5': versions('v1.9.3', '3.5.6-0', '3.8'),
  '1.25.15': versions('v1.9.3', '3.5.9-0', '3.8'), // k/k PR 118077
  '1.26': versions('v1.9.3', '3.5.6-0', '3.9'),
  '1.26.10': versions('v1.9.3', '3.5.9-0', '3.9'), // k/k PR 118078
  '1.26.13': versions('v1.9.3', '3.5.10-0', '3.9'), // k/k PR 121803
  '1.27': versions('v1.10.1', '3.5.7-0', '3.9'), // k/k PR 115310
  '1.27.7': versions('v1.10.1', '3.5.9-0', '3.9'), // k/k PR 118079
  '1.27.10': versions('v1.10.1', '3.5.10-0', '3.9'), // k/k PR 121804
  '1.27.12': versions('v1.10.1', '3.5.12-0', '3.9'),
  '1.28': versions('v1.10.1', '3.5.9-0', '3.9'),
  '1.28.6': versions('v1.10.1', '3.5.10-0', '3.9'), // k/k PR 121805
  '1.28.8': versions('v1.10.1', '3.5.12-0', '3.9'),
  '1.28.14': versions('v1.10.1', '3.5.15-0', '3.9'),
  '1.29': versions('v1.11.1', '3.5.10-0', '3.9'), // k/k PR 121566
  '1.29.3': versions('v1.11.1', '3.5.12-0', '3.9'), // k/k PR 123188
  '1.29.9': versions('v1.11.1', '3.5.15-0', '3.9'),
  '1.29.11': versions('v1.11.1', '3.5.16-0', '3.9'),
  '1.30': versions('v1.11.1', '3.5.12-0', '3.9'),
  '1.30.5': versions('v1.11.3', '3.5.15-0', '3.9'),
  '1.31': versions('v1.11.1', '3.5.15-0', '3.10'),
  '1.31.1': versions('v1.11.3', '3.5.15-0', '3.10'),
  '1.31.14': versions('v1.11.3', '3.5.24-0', '3.10'),
  '1.32': versions('v1.11.3', '3.5.16-0', '3.10'),
  '1.32.10': versions('v1.11.3', '3.5.24-0', '3.10'),
  '1.33': versions('v1.12.0', '3.5.21-0', '3.10'),
  '1.33.6': versions('v1.12.0', '3.5.24-0', '3.10'),
  '1.34': versions('v1.12.1', '3.6.4-0', '3.10.1'),
  '1.34.2': versions('v1.12.1', '3.6.5-0', '3.10.1'),
  '1.35': versions('v1.13.1', '3.6.6-0', '3.10.1'),
  '1.36': versions('v1.14.2', '3.6.8-0', '3.10.2'), // k/k PRs 137605, 137107, 138199
}

/**
 * Tag of the etcd image when the Kubernetes version is older than kubeadm's minor; undefined: as for its own.
 * Source: kubeadm constants.go, SupportedEtcdVersion (1.19.3, 1.22.4, 1.34.1, 1.34.2; elsewhere the entry of the
 * minor before equals that of its own).
 */
export const ETCD_OF_OLDER: Since<string | undefined> = {
  '1.18': undefined,
  '1.19': '3.4.3-0',
  '1.20': undefined,
  '1.22': '3.4.13-0',
  '1.23': undefined,
  '1.34': '3.5.21-0',
  '1.34.2': '3.5.24-0',
  '1.35': undefined,
}

/** Source: CHANGELOG 1.25.0 and, in back-ports, 1.22.17 (k/k PR 113388), 1.23.15 (113393), 1.24.9 (113395). */
export const DEFAULT_REPOSITORIES: Since<string> = {
  '1.18': 'k8s.gcr.io',
  '1.22.17': 'registry.k8s.io',
  '1.23': 'k8s.gcr.io',
  '1.23.15': 'registry.k8s.io',
  '1.24': 'k8s.gcr.io',
  '1.24.9': 'registry.k8s.io',
}

/** Where the kube-* images of `ci/` versions lie. Source: CHANGELOG 1.18.16, 1.19.8, 1.20.3, 1.21.0 (k/k PR 97087). */
export const CI_REPOSITORIES: Since<string> = {
  '1.18': 'gcr.io/kubernetes-ci-images',
  '1.18.16': 'gcr.io/k8s-staging-ci-images',
  '1.19': 'gcr.io/kubernetes-ci-images',
  '1.19.8': 'gcr.io/k8s-staging-ci-images',
  '1.20': 'gcr.io/kubernetes-ci-images',
  '1.20.3': 'gcr.io/k8s-staging-ci-images',
}

/**
 * In which repositories CoreDNS is `coredns/coredns` instead of `coredns`.
 * Source: kubeadm constants.go (1.21.0: in all of them), CHANGELOG 1.21.2 and 1.22.0 (only in the default one).
 */
export const NESTED_COREDNS: Since<'never' | 'always' | 'default repository'> = {
  '1.18': 'never',
  '1.21': 'always',
  '1.21.2': 'default repository',
}

/** The registry that `kubeadm` pulls from when the configuration names none. */
export function defaultImageRepository(kubeadm: Version): string {
  return valueSince(DEFAULT_REPOSITORIES, kubeadm) ?? 'k8s.gcr.io'
}

/** The versions that `kubeadm` brings along; those of the oldest known release when it is older still. */
export function bundledVersions(kubeadm: Version): BundledVersions {
  return valueSince(BUNDLED_VERSIONS, kubeadm) ?? versions('1.6.7', '3.4.3-0', '3.2')
}
