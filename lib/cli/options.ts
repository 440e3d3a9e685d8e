/**
 * Every option of every script, once: parsing, `--help`, the README and the mapping onto configuration fields
 * walk this table. Names and meanings are kubeadm's, but for the ones marked "ours".
 */

import { DEFAULT_POD_NETWORK, DEFAULT_TIMEOUT, DEFAULT_VERSION, POD_NETWORKS } from '../base/defaults.ts'
import { KUBERNETES } from '../base/paths.ts'

export type { Option } from './option.ts'

export const OPTIONS = {
  config: {
    type: 'string',
    value: 'FILE',
    about: 'kubeadm configuration file (v1beta4, v1beta3 or v1beta2); - for standard input',
  },
  'kubernetes-version': {
    type: 'string',
    value: 'VERSION',
    default: DEFAULT_VERSION as string,
    about: 'Kubernetes version of the control plane',
  },
  'kubeadm-version': {
    type: 'string',
    value: 'VERSION',
    default: "the Kubernetes version's own",
    about: 'write what this kubeadm release writes (ours)',
  },
  'image-repository': {
    type: 'string',
    value: 'REPOSITORY',
    default: 'registry.k8s.io',
    about: 'registry to pull control plane images from',
  },
  'apiserver-advertise-address': {
    type: 'string',
    value: 'IP',
    default: 'that of the default route',
    about: 'address the API server announces',
  },
  'apiserver-bind-port': { type: 'string', value: 'PORT', default: '6443', about: 'port of the API server' },
  'apiserver-cert-extra-sans': {
    type: 'string',
    list: true,
    value: 'NAMES',
    about: "further names and addresses in the API server's certificate",
  },
  'control-plane-endpoint': { type: 'string', value: 'HOST[:PORT]', about: 'stable address of the control plane' },
  'pod-network-cidr': { type: 'string', value: 'CIDR[,CIDR]', about: 'addresses of Pods' },
  'service-cidr': { type: 'string', value: 'CIDR[,CIDR]', default: '10.96.0.0/12', about: 'addresses of Services' },
  'service-dns-domain': { type: 'string', value: 'DOMAIN', default: 'cluster.local', about: 'DNS domain of Services' },
  'node-name': { type: 'string', value: 'NAME', default: 'the host name', about: 'name of this node' },
  'cri-socket': {
    type: 'string',
    value: 'SOCKET',
    default: 'a runtime that is found',
    about: 'CRI socket of the container runtime; it has to serve CRI',
  },
  'cert-dir': {
    type: 'string',
    value: 'DIR',
    default: KUBERNETES.certificates as string,
    about: 'where certificates lie',
  },
  'certificate-key': {
    type: 'string',
    value: 'KEY',
    secret: true,
    about: 'key that encrypts the uploaded certificates, 64 hex digits',
  },
  'control-plane': { type: 'boolean', about: 'join as a control plane node' },
  'discovery-file': {
    type: 'string',
    value: 'FILE|URL',
    about: 'kubeconfig from which the cluster is known, a file or an https URL',
  },
  'discovery-token': {
    type: 'string',
    value: 'TOKEN',
    secret: true,
    about: 'token that shows that the cluster is the right one, id.secret',
  },
  'discovery-token-ca-cert-hash': {
    type: 'string',
    list: true,
    value: 'sha256:HASH',
    about: "hash of the public key of the cluster's CA; one of several has to fit",
  },
  'discovery-token-unsafe-skip-ca-verification': {
    type: 'boolean',
    about: 'take any CA that is signed with the token: whoever knows the token could then pretend to be the cluster',
  },
  'tls-bootstrap-token': {
    type: 'string',
    value: 'TOKEN',
    secret: true,
    about: 'token with which the kubelet asks for its certificate, id.secret',
  },
  'upload-certs': { type: 'boolean', about: 'upload the control plane certificates to the kubeadm-certs Secret' },
  patches: { type: 'string', value: 'DIR', about: 'folder with target[suffix][+patchtype].extension patches' },
  'feature-gates': { type: 'string', list: true, value: 'NAME=BOOL,...', about: 'kubeadm feature gates' },
  'skip-phases': { type: 'string', list: true, value: 'PHASES', about: 'phases to leave out' },
  'ignore-preflight-errors': {
    type: 'string',
    list: true,
    value: 'CHECKS',
    about: "checks whose errors count as warnings, or 'all'",
  },
  token: {
    type: 'string',
    value: 'TOKEN',
    secret: true,
    default: 'a random one',
    about: 'bootstrap token, id.secret; for kubeconfig user any token, and without one it gets a certificate',
  },
  'token-ttl': { type: 'string', value: 'DURATION', default: '24h0m0s', about: 'how long the token lives; 0 for ever' },
  'skip-token-print': { type: 'boolean', about: 'do not print the bootstrap token' },
  'skip-certificate-key-print': { type: 'boolean', about: 'do not print the key of the uploaded certificates' },
  ttl: { type: 'string', value: 'DURATION', default: '24h0m0s', about: 'how long the token lives; 0 for ever' },
  usages: {
    type: 'string',
    list: true,
    value: 'USAGES',
    choices: ['signing', 'authentication'],
    default: 'signing,authentication',
    about: 'what the token may be used for',
  },
  groups: {
    type: 'string',
    list: true,
    value: 'GROUPS',
    default: 'system:bootstrappers:kubeadm:default-node-token',
    about: 'groups that whoever authenticates with the token is in',
  },
  description: { type: 'string', value: 'TEXT', about: 'what the token is for, for people' },
  'print-join-command': {
    type: 'boolean',
    about: 'print the whole command with which a node joins, not the token alone',
  },
  'kubeconfig-dir': {
    type: 'string',
    value: 'DIR',
    default: KUBERNETES.folder as string,
    about: 'where kubeconfig files lie',
  },
  kubeconfig: {
    type: 'string',
    value: 'FILE',
    default: KUBERNETES.adminConf as string,
    about: 'kubeconfig for talking to the cluster',
  },
  'csr-only': { type: 'boolean', about: 'make keys and certificate signing requests, no certificates' },
  'client-name': {
    type: 'string',
    value: 'NAME',
    about: "name of the user: the common name of the client's certificate",
  },
  org: {
    type: 'string',
    list: true,
    value: 'GROUPS',
    about: "groups of the user: the organizations of the client's certificate",
  },
  'validity-period': {
    type: 'string',
    value: 'DURATION',
    reads: 'duration',
    default: "the cluster's own",
    about: 'how long the certificate is valid',
  },
  'allow-unsafe-groups': {
    type: 'boolean',
    about: 'let the user into a group from which nothing can be taken, as system:masters (ours)',
  },
  out: {
    type: 'string',
    value: 'FILE',
    default: 'standard output',
    about: 'new file for it, which nobody else may read (ours)',
  },
  etcdutl: {
    type: 'string',
    value: 'PROGRAM',
    default: "the one in etcd's image, or on the PATH",
    about: "etcd's tool that makes a data folder of a snapshot; etcdctl until etcd 3.5 (ours)",
  },
  'rebuild-names': {
    type: 'boolean',
    about: "names in serving certificates are the configuration's, not those of the old certificate (ours)",
  },
  'skip-restart': { type: 'boolean', about: 'say what has to be started again, and leave that to you (ours)' },
  'csr-dir': { type: 'string', value: 'DIR', about: 'where certificate signing requests are written' },
  'apiserver-extra-args': {
    type: 'string',
    list: true,
    value: 'NAME=VALUE,...',
    about: 'further flags of the API server',
  },
  'controller-manager-extra-args': {
    type: 'string',
    list: true,
    value: 'NAME=VALUE,...',
    about: 'further flags of the controller manager',
  },
  'scheduler-extra-args': {
    type: 'string',
    list: true,
    value: 'NAME=VALUE,...',
    about: 'further flags of the scheduler',
  },
  'print-manifest': { type: 'boolean', about: "print the addon's manifests instead of applying them" },
  'allow-deprecated-api': { type: 'boolean', about: 'say nothing about API versions that are deprecated' },
  'allow-experimental-api': { type: 'boolean', about: 'take API versions that are not released; there are none' },
  'old-config': { type: 'string', value: 'FILE', about: 'configuration file to convert' },
  'new-config': {
    type: 'string',
    value: 'FILE',
    default: 'standard output',
    about: 'where the converted configuration goes',
  },
  'component-configs': {
    type: 'string',
    list: true,
    value: 'KINDS',
    choices: ['KubeletConfiguration', 'KubeProxyConfiguration'],
    about: 'also print these component configurations',
  },
  runtime: {
    type: 'string',
    value: 'auto|private|SOCKET',
    choices: ['auto', 'private'],
    reads: 'socket',
    hints: [
      ['^(?:docker|cri-?dockerd?|dockershim)$', 'Docker itself serves no CRI; auto leaves it alone'],
      ['^(?:containerd|cri-?o)$', 'auto finds it, or name its socket, as in unix:///run/containerd/containerd.sock'],
    ],
    default: 'auto',
    about:
      'container runtime: one that is there, or a containerd of our own; wins over --cri-socket and criSocket (ours)',
  },
  artifacts: {
    type: 'string',
    value: 'DIR',
    about: 'folder with bin, images and cni of a cluster; nothing is downloaded (ours)',
  },
  cni: {
    type: 'string',
    choices: POD_NETWORKS as readonly string[],
    hints: [['^[a-z][-a-z]+$', 'with none you apply any other network yourself']],
    default: DEFAULT_POD_NETWORK as string,
    about: 'Pod network to set up; with none it is yours, and what needs one is not waited for (ours)',
  },
  addons: {
    type: 'string',
    list: true,
    value: 'PARTS',
    choices: ['storage', 'load-balancer', 'network-policy', 'none'],
    hints: [
      ['^(?:default-)?storage-?(?:class|provisioner)$', 'its name here is storage'],
      ['^(?:metallb|servicelb|klipper|cloud-?provider)', 'its name here is load-balancer'],
      ['^(?:calico|cilium|kube-?router)', 'that is a Pod network: --cni none, and apply it'],
      ['^(?:ingress|gateway|metrics|dashboard)', 'that is an apply of manifests when the cluster is up'],
    ],
    default: 'all of them with profile ci',
    about: 'what the cluster has beyond what kubeadm gives it; none stands alone (ours)',
  },
  registry: {
    type: 'string',
    value: 'HOST:PORT',
    reads: 'registry',
    about: 'registry without TLS whose images nodes take as they are named, as in localhost:5000 (ours)',
  },
  wait: {
    type: 'string',
    list: true,
    value: 'GATES',
    choices: ['all', 'none', 'api', 'control-plane', 'node', 'service-account', 'kube-proxy', 'pod', 'dns', 'images'],
    hints: [['^[0-9.]+(?:ms|s|m|h|$)', 'how long to wait is --timeout']],
    default: 'all',
    about: 'gates to wait for; all and none stand alone (ours)',
  },
  timeout: {
    type: 'string',
    value: 'DURATION',
    reads: 'duration',
    default: DEFAULT_TIMEOUT as string,
    about: 'how long the whole of it may take (ours)',
  },
  nodes: {
    type: 'string',
    value: 'N|FILE',
    reads: 'nodes',
    default: '1',
    about:
      'nodes of the cluster, all on this machine: a control plane and workers by their number, or a file with a list of nodes (ours)',
  },
  'kind-config': {
    type: 'string',
    value: 'FILE',
    about: "kind's Cluster file: its nodes, and what it says of the cluster (ours)",
  },
  'control-planes': {
    type: 'string',
    value: 'N',
    reads: 'count',
    default: '1',
    about: 'control planes of the cluster, all on this machine, behind a balancer (ours)',
  },
  workers: {
    type: 'string',
    value: 'N',
    reads: 'count',
    about: 'nodes by the number of workers, without control planes (ours)',
  },
  mirror: {
    type: 'string',
    list: true,
    value: 'URL|HOST=URL|@FILE',
    secret: true,
    about:
      'fetch files from URL instead of dl.k8s.io and github.com; HOST=URL for one host or registry alone; @FILE: what stands in that file (ours)',
  },
  offline: { type: 'boolean', about: 'contact nothing: what --artifacts or the cache lack is an error (ours)' },
  lock: {
    type: 'string',
    value: 'FILE',
    default: 'the one that comes along',
    about: 'digests that fetched files and images have to have, as scripts/lock.mts writes them (ours)',
  },
  arch: {
    type: 'string',
    choices: ['amd64', 'arm64', 'ppc64le', 's390x'],
    hints: [
      ['^(?:x86_64|x64)$', 'its name here is amd64'],
      ['^aarch64$', 'its name here is arm64'],
      ['^ppc64$', 'its name here is ppc64le'],
    ],
    default: "this machine's",
    about: 'processor architecture that it is for (ours)',
  },
  'cache-dir': {
    type: 'string',
    value: 'DIR',
    default: '/var/cache/kubestep',
    about: 'where fetched files are kept for the next time (ours)',
  },
  'dry-run': {
    type: 'boolean',
    about: 'change nothing: write the tree into a folder of its own and list what a real run would do',
  },
  'output-dir': {
    type: 'string',
    value: 'DIR',
    default: 'a new temporary folder',
    about: 'with --dry-run: where the tree is written (ours)',
  },
  root: { type: 'string', value: 'DIR', default: '/', about: 'every path lies below DIR (ours)' },
  profile: {
    type: 'string',
    choices: ['kubeadm', 'ci'],
    default: 'kubeadm',
    about: 'kubeadm: what kubeadm writes; ci: tuned for a short life (ours)',
  },
  output: {
    type: 'string',
    short: 'o',
    choices: ['text', 'json'],
    hints: [['^(?:go-template|template|jsonpath)', 'there is no output by templates; programs like jq read json']],
    default: 'text',
    about: 'progress for people, or one JSON event per line',
  },
  verbose: { type: 'boolean', short: 'v', about: 'say more, and show stack traces' },
  quiet: { type: 'boolean', short: 'q', about: 'say only warnings and errors' },
  record: {
    type: 'string',
    value: 'DIR',
    about: 'write what was read of the machine into DIR, for tests and for others to look at (ours)',
  },
  rounds: {
    type: 'string',
    value: 'N',
    reads: 'count',
    default: '7, cluster: 5',
    about: 'how often everything is measured (ours)',
  },
  undo: { type: 'boolean', about: 'take back everything that prepare changed (ours)' },
  install: {
    type: 'boolean',
    about: "install missing packages (containerd, runc, CNI plugins, ...) with the machine's package manager (ours)",
  },
  owner: {
    type: 'string',
    value: 'ID',
    about: 'whose cluster it is: reset and logs with an owner leave the cluster of another one alone (ours)',
  },
  'list-images': {
    type: 'boolean',
    about:
      'print the images of such a cluster, one a line, and do nothing else: what a cache of them is named after (ours)',
  },
  'lose-quorum': {
    type: 'boolean',
    about: 'take this node away even if the etcd of the others then has no quorum (ours)',
  },
  force: {
    type: 'boolean',
    short: 'f',
    about:
      'upgrade: pass over rules about versions that may be passed over; elsewhere it changes nothing, for nothing is asked',
  },
  yes: { type: 'boolean', short: 'y', about: 'ask nothing; nothing is asked without it either' },
  'etcd-upgrade': { type: 'boolean', default: 'true', about: 'upgrade etcd too' },
  'certificate-renewal': { type: 'boolean', default: 'true', about: 'renew the certificates of what is replaced' },
  'allow-experimental-upgrades': { type: 'boolean', about: 'allow alpha, beta and release candidate versions' },
  'allow-release-candidate-upgrades': { type: 'boolean', about: 'allow release candidate versions' },
  'print-config': { type: 'boolean', about: 'print the configuration that the upgrade goes by' },
  'context-lines': {
    type: 'string',
    short: 'c',
    value: 'N',
    reads: 'count',
    default: '3',
    about: 'lines around each difference',
  },
  drain: {
    type: 'boolean',
    about: 'empty the node before its kubelet is replaced, and let Pods come back after (ours)',
  },
  'cleanup-tmp-dir': { type: 'boolean', about: 'clean /etc/kubernetes/tmp; it goes with what was recorded' },
  'allow-missing-template-keys': { type: 'boolean', about: 'for output by templates, which there is none of' },
  'show-managed-fields': { type: 'boolean', about: 'show managedFields in objects; these have none' },
  'host-name': { type: 'string', value: 'NAME', about: 'host name that the machine gets (ours)' },
  'time-zone': { type: 'string', value: 'ZONE', about: 'time zone that the machine gets, e.g. Europe/Berlin (ours)' },
  check: { type: 'boolean', about: 'change nothing; fail when something would change (ours)' },
  help: { type: 'boolean', short: 'h', about: 'show this text' },
} as const

export type OptionName = keyof typeof OPTIONS

/** What was given on the command line; absent means not given. */
export type Flags = {
  readonly [Name in OptionName]?: (typeof OPTIONS)[Name]['type'] extends 'boolean' ? boolean : string
}

/** Options that every script has. */
export const COMMON: readonly OptionName[] = ['output', 'verbose', 'quiet', 'help']

/** Options of every phase that renders files. */
export const PHASE_OPTIONS: readonly OptionName[] = [
  'config',
  'kubernetes-version',
  'kubeadm-version',
  'dry-run',
  'output-dir',
  'root',
]
