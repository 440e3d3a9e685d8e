/** Where things lie on the machine that kubeadm has no name for: all of ours below three folders. */

/** Where kubeadm puts a cluster's files. Source: kubeadm constants.go (v1.36). */
export const KUBERNETES = {
  folder: '/etc/kubernetes',
  manifests: '/etc/kubernetes/manifests',
  certificates: '/etc/kubernetes/pki',
  authority: '/etc/kubernetes/pki/ca.crt',
  adminConf: '/etc/kubernetes/admin.conf',
  superAdminConf: '/etc/kubernetes/super-admin.conf',
  controllerManagerConf: '/etc/kubernetes/controller-manager.conf',
  schedulerConf: '/etc/kubernetes/scheduler.conf',
  kubeletConf: '/etc/kubernetes/kubelet.conf',
  bootstrapConf: '/etc/kubernetes/bootstrap-kubelet.conf',
  kubelet: '/var/lib/kubelet',
  kubeletPki: '/var/lib/kubelet/pki',
  kubeletConfig: '/var/lib/kubelet/config.yaml',
  kubeletFlags: '/var/lib/kubelet/kubeadm-flags.env',
  etcd: '/var/lib/etcd',
} as const

/** What kubelets, runtimes and network add-ons share on every machine. Source: kubelet, CNI conventions, Debian's packages. */
export const NODE = {
  podLogs: '/var/log/pods',
  containerLogs: '/var/log/containers',
  /** Network namespaces of Pods. */
  namespaces: '/run/netns',
  cniConf: '/etc/cni/net.d',
  /** Where plugins may be; add-ons and runtimes take the first. */
  cniBin: ['/opt/cni/bin', '/usr/lib/cni', '/usr/libexec/cni'],
  /** What CNI and its plugins remember. */
  cniState: '/var/lib/cni',
  /** What CNI remembers of each Pod. */
  cniResults: '/var/lib/cni/results',
} as const

export const LAYOUT = {
  /** The record of changes. */
  journal: '/var/lib/kubestep/journal.jsonl',
  /** The record of what prepare changed; outside of what a cluster's record takes away. */
  prepared: '/var/lib/kubestep-prepare.jsonl',
  /** There when an init has come to its end. */
  ready: '/var/lib/kubestep/ready.json',
  /** Kept until reset: services, the private runtime, binaries in use. */
  state: '/var/lib/kubestep',
  /** Gone after a reboot: sockets, pids, the lock. */
  run: '/run/kubestep',
  logs: '/var/log/kubestep',
  lock: '/run/kubestep/lock',
  services: '/var/lib/kubestep/services',
  binaries: '/var/lib/kubestep/bin',
  /** Further nodes on this machine: a folder for each, with what it has in the places that all nodes have. */
  nodes: '/var/lib/kubestep/nodes',
  /** Of those what is gone after a reboot. */
  nodesRun: '/run/kubestep/nodes',
  /** What starts one of them as a script of its own: the machine has it, and each node. */
  nodeProgram: '/var/lib/kubestep/services/node.mjs',
  /** There in the world of such a node, and nowhere else. */
  localNode: '/var/lib/kubestep/local-node.json',
  /** What the agent does on this machine. */
  agent: '/var/lib/kubestep/agent.json',
  /** The API servers that a process of its own stands before. */
  apiBalancer: '/var/lib/kubestep/api-balancer.json',
  /** There as long as there may be rules of NetworkPolicies on this machine: gone after a reboot, as they are. */
  policies: '/run/kubestep/policies',
  /** Folders of claims. */
  volumes: '/var/lib/kubestep/volumes',
  /** What an upgrade that has begun writes, and what was there before. */
  upgrade: '/var/lib/kubestep/upgrade',
  containerd: {
    config: '/var/lib/kubestep/containerd/config.toml',
    /** Which proxy it takes. */
    proxies: '/var/lib/kubestep/containerd/proxies.env',
    /** Mirrors of registries. */
    hosts: '/var/lib/kubestep/containerd/certs.d',
    root: '/var/lib/kubestep/containerd/root',
    state: '/run/kubestep/containerd',
    socket: '/run/kubestep/containerd.sock',
    url: 'unix:///run/kubestep/containerd.sock',
  },
  balancer: {
    /** Name of the interface that addresses of load balancers are on. */
    link: 'kubestep-lb',
  },
  cni: {
    /** Name of the bridge that all Pods hang on. */
    bridge: 'cni0',
    conf: '/var/lib/kubestep/cni/net.d',
    bin: '/var/lib/kubestep/cni/bin',
    data: '/var/lib/kubestep/cni/data',
  },
} as const
