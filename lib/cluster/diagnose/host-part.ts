/** The reading of the host that preflight goes by, for a log bundle. */
import { formatSubnet } from '../../base/address.ts'
import { KUBERNETES, LAYOUT } from '../../base/paths.ts'
import { readHost } from '../../machine/host/host.ts'
import { liveHost } from '../../machine/host/host-source.ts'

const PORTS: readonly number[] = [6443, 10250, 10257, 10259, 2379, 2380]

/** As JSON; the environment is left out, for it may hold secrets. */
export async function hostText(): Promise<string> {
  const host = await readHost(liveHost(), {
    ports: PORTS,
    files: [LAYOUT.ready],
    folders: [KUBERNETES.manifests, KUBERNETES.etcd],
    spaces: [KUBERNETES.kubelet, KUBERNETES.etcd, LAYOUT.containerd.root],
    sockets: [],
    versions: true,
  })
  const { environment: _, facts, kernel, routes, ...rest } = host
  const { proxyEnvironment: _proxies, ...harmless } = facts
  const { modules, options } = kernel
  const parts = {
    ...rest,
    facts: harmless,
    routes: routes.map(({ subnet, interfaceName }) => `${formatSubnet(subnet)} ${interfaceName}`),
    modules: [...modules.loaded].sort(),
    optionsAreKnown: options !== undefined,
  }
  return `${JSON.stringify(parts, null, 2)}\n`
}
