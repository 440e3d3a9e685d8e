/** What a real run would do to the host: the end of a dry run. */

import { NODE_MODULES } from '../host/modules.ts'
import { SYSCTLS } from '../host/sysctl.ts'
import { imageList } from '../images/images.ts'
import { modeFault, proxyModeName } from '../network/proxy-mode.ts'
import type { Phase } from '../phase.ts'
import type { RenderedCluster } from './render.ts'

/** Lines for people. */
export function describeRun({ config, target }: Phase, { files, objects }: RenderedCluster): string[] {
  const { cluster, init } = config
  const dualStack = [cluster.networking.podSubnet, cluster.networking.serviceSubnet].some(subnet =>
    subnet?.includes(':'),
  )
  const fault = cluster.proxy.disabled ? undefined : modeFault(config.kubeProxy.document, config.version)
  const rows: readonly (readonly [what: string, items: readonly string[]])[] = [
    ['load these kernel modules, where they are not built in', NODE_MODULES],
    [
      'set these sysctls',
      SYSCTLS.filter(({ value, ipv6 }) => value !== undefined && (dualStack || !ipv6)).map(
        ({ key, value }) => `${key}=${value}`,
      ),
    ],
    ['pull these images', imageList(config)],
    [
      'create these folders',
      cluster.etcd.local === undefined ? ['/var/lib/kubelet'] : ['/var/lib/kubelet', cluster.etcd.local.dataDir],
    ],
    ['write these files', files.map(({ path }) => path).filter(path => path !== '/cluster-objects.yaml')],
    ['start these services', [`kubelet, with the runtime at ${init.nodeRegistration.criSocket}`]],
    [
      'apply these objects',
      objects.map(
        ({ verb, resource, namespace, name }) =>
          `${verb} ${resource} ${namespace === '' ? '' : `${namespace}/`}${name}`,
      ),
    ],
  ]
  return [
    `[dryrun] Wrote ${files.length} files below "${target}"`,
    '[dryrun] A real run would:',
    ...rows.flatMap(([what, items]) => [`[dryrun]   ${what}:`, ...items.map(item => `[dryrun]     ${item}`)]),
    ...(fault === undefined
      ? []
      : [
          `[dryrun] A real run would be refused: kube-proxy cannot run in mode "${proxyModeName(config.kubeProxy.document)}": ${fault}`,
        ]),
  ]
}
