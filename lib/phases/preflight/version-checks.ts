/** Checks of versions, of an etcd that is not ours, and of what init brings itself. */
import { NEWEST_MINOR, parseVersion } from '../../base/version.ts'
import { type Check, error, handled, ok, type Verdict, type Wanted, warning } from './check.ts'
import { kubeletServiceVerdicts } from './kubelet-service-checks.ts'

/** How many minors a kubelet may be behind. Source: kubeadm constants.go, MinimumKubeletVersion; N-3 since 1.29. */
function oldestKubelet(minor: number): number {
  return minor - (minor >= 29 ? 3 : 1)
}

function skipped(found: string, fix: string): Verdict {
  return { status: 'skipped', found, fix }
}

/**
 * Files of an external etcd that have to be there: workers have no use for them, and a control plane node that joins may
 * get them from the cluster. Source: kubeadm preflight/checks.go, RunInitNodeChecks (v1.36).
 */
export function etcdFiles({ config: { cluster, init, joins } }: Pick<Wanted, 'config'>): string[] {
  const { external } = cluster.etcd
  const isGiven = joins === 'control-plane' && init.certificateKey !== undefined
  if (external === undefined || joins === 'worker' || isGiven) return []
  return [external.caFile, external.certFile, external.keyFile].filter(file => file !== '')
}

export const VERSION_CHECKS: readonly Check[] = [
  {
    name: 'KubernetesVersion',
    about: `a release that this program knows (up to 1.${NEWEST_MINOR})`,
    why: 'a newer one may want files that are written differently',
    severity: 'warning',
    look: (_, { config: { version } }) =>
      version.minor <= NEWEST_MINOR
        ? ok(`1.${version.minor}`)
        : warning(`1.${version.minor} is newer than this program`, 'it is set up like the newest release known here'),
  },
  {
    name: 'KubeletVersion',
    about: 'an installed kubelet fits the release',
    why: 'a kubelet may be older than the API server by some minors, and never newer',
    severity: 'error',
    look: ({ versions, programs }, { config: { version } }) => {
      const installed = parseVersion(/v\d+\.\d+\.\d+\S*/.exec(versions.kubelet ?? '')?.[0] ?? '')
      if (programs.kubelet === undefined) return handled('no kubelet is installed', 'init brings its own')
      if (installed === undefined) return handled(`${programs.kubelet} was not asked`, 'init brings its own')
      const found = `${programs.kubelet} is 1.${installed.minor}`
      return installed.minor > version.minor || installed.minor < oldestKubelet(version.minor)
        ? handled(`${found}, which does not fit 1.${version.minor}`, 'init brings its own, and leaves this one alone')
        : ok(found)
    },
  },
  {
    name: 'Service-kubelet',
    about: 'no other kubelet runs as a service',
    why: 'two kubelets fight for ports and Pods',
    severity: 'error',
    look: kubeletServiceVerdicts,
  },
  {
    name: 'ExternalEtcdVersion',
    about: 'the release of an external etcd',
    why: 'an API server asks for what older ones do not have',
    severity: 'notice',
    look: (_, { config: { cluster } }) =>
      cluster.etcd.external === undefined
        ? undefined
        : skipped(
            'not asked: preflight stays off the network',
            `see ${cluster.etcd.external.endpoints[0] ?? ''}/version`,
          ),
  },
  {
    name: 'ExternalEtcdClientCertificates',
    about: 'the certificates for an external etcd are there',
    why: 'the API server does not start without them',
    severity: 'error',
    look: ({ files }, wanted) => {
      const missing = etcdFiles(wanted).filter(file => files[file] !== 'file')
      if (etcdFiles(wanted).length === 0) return undefined
      return missing.length === 0
        ? ok('there')
        : missing.map(file => error(`"${file}" is not there`, 'copy it from the etcd cluster'))
    },
  },
  {
    name: 'ImagePull',
    about: 'the images can be had',
    why: 'no image, no Pod',
    severity: 'notice',
    look: () => skipped('not tried: preflight stays off the network', 'images pull fetches them ahead of time'),
  },
]
