/** What a real run would do to the host: the end of a dry run. */

import { resolve } from 'node:path'
import { KUBERNETES } from '../../base/paths.ts'
import type { Flags } from '../../cli/options.ts'
import { imageList } from '../../kubeadm/images/image-list.ts'
import { NODE_MODULES } from '../../machine/host/kernel-modules.ts'
import { SYSCTLS } from '../../machine/host/sysctl.ts'
import { modeFault, proxyModeName } from '../../machine/network/proxy-mode.ts'
import { familyFault } from '../preflight/address-checks.ts'
import { foreseeNode } from '../run/live-node.ts'
import type { OpenedPhase } from '../run/open-phase.ts'
import type { Delivery } from './render-cluster.ts'

/** Lines for people. */
export async function describeRun(phase: OpenedPhase, { files, objects }: Delivery, flags: Flags): Promise<string[]> {
  const { config, target } = phase
  const { cluster, init } = config
  // Below --root lies another machine, of which nothing more is known.
  const node = resolve(flags.root ?? '/') === '/' ? await foreseeNode(phase, flags) : undefined
  const socket = node?.socket ?? init.nodeRegistration.criSocket
  const dualStack = [cluster.networking.podSubnet, cluster.networking.serviceSubnet].some(subnet =>
    subnet?.includes(':'),
  )
  const mode = cluster.proxy.disabled ? undefined : modeFault(config.kubeProxy.document, config.version)
  const families = familyFault(config)
  const refusals = [
    ...(mode === undefined
      ? []
      : [`kube-proxy cannot run in mode "${proxyModeName(config.kubeProxy.document)}": ${mode}`]),
    ...(families === undefined ? [] : [`${families.found}; ${families.fix}`]),
    ...(node?.fault === undefined ? [] : [node.fault]),
  ]
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
      cluster.etcd.local === undefined ? [KUBERNETES.kubelet] : [KUBERNETES.kubelet, cluster.etcd.local.dataDir],
    ],
    ['write these files', files.map(({ path }) => path).filter(path => path !== '/cluster-objects.yaml')],
    ...(node === undefined || node.notices.length === 0
      ? []
      : [['write this otherwise than it is in the tree, for this machine', node.notices.map(plain)] as const]),
    [
      'start these services',
      [
        ...(node?.runtime === 'ours' ? [`containerd, one of our own at ${socket}`] : []),
        `kubelet, with the runtime at ${socket}`,
      ],
    ],
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
    ...refusals.map(refusal => `[dryrun] A real run would be refused: ${refusal}`),
  ]
}

// `[kubelet-start] Setting x to y: why`, as a real run says it.
function plain(notice: string): string {
  return notice.replace(/^\[kubelet-start\] Setting (.*?) to (.*?): /, '$1 $2: ')
}
