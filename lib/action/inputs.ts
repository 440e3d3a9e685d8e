/**
 * Every input of the action, once: action.yml, the README, the reading of inputs and their way into init walk this
 * table. Names as the users of other cluster actions type them, in kebab-case.
 */
import {
  DEFAULT_POD_NETWORK,
  DEFAULT_POD_SUBNET,
  DEFAULT_TIMEOUT,
  DEFAULT_VERSION,
  POD_NETWORKS,
} from '../base/defaults.ts'
import type { OptionName } from '../cli/options.ts'

/**
 * What a value looks like. Lists are separated by commas or line breaks. `gates` are NAME=true|false, `settings`
 * NAME=VALUE; `arguments` is YAML: a mapping of flags for each component; `config` is a path or YAML; `nodes` a number, or
 * one of those.
 */
export type InputKind =
  | 'text'
  | 'version'
  | 'switch'
  | 'choice'
  | 'duration'
  | 'port'
  | 'subnets'
  | 'list'
  | 'gates'
  | 'settings'
  | 'arguments'
  | 'config'
  | 'nodes'
  | 'folder'
  | 'file'

export interface Input {
  readonly kind: InputKind
  /** One sentence without a full stop. */
  readonly about: string
  /** What counts when nothing is given. */
  readonly default?: string
  /** The runner does not fill the default in: a configuration may say it, or it stands there in words. */
  readonly implied?: true
  /** As a user writes it in a workflow. */
  readonly example: string
  /** Of a choice. */
  readonly choices?: readonly string[]
  /** The option of init that it becomes. */
  readonly flag?: OptionName
  /** The runner fills it in; nobody has to know of it. */
  readonly internal?: true
}

export const INPUTS = {
  'kubernetes-version': {
    kind: 'version',
    about: 'Kubernetes to run: `1.36.2`, `1.36` (its newest patch release), `stable`, `latest` or `ci/latest`',
    default: DEFAULT_VERSION as string,
    implied: true,
    example: '1.35',
    flag: 'kubernetes-version',
  },
  'upgrade-to': {
    kind: 'version',
    about: 'in a step after the one that has made the cluster: upgrade it to this version, instead of making one',
    example: '1.36',
  },
  config: {
    kind: 'config',
    about: 'kubeadm configuration (v1beta4, v1beta3 or v1beta2): a path, or the YAML itself; other inputs win over it',
    example: 'test/kubeadm.yaml',
    flag: 'config',
  },
  profile: {
    kind: 'choice',
    about: '`ci` is tuned for a short life, `kubeadm` is what kubeadm writes',
    choices: ['ci', 'kubeadm'],
    default: 'ci',
    example: 'kubeadm',
    flag: 'profile',
  },
  nodes: {
    kind: 'nodes',
    about:
      'nodes of the cluster, all on this machine: a number, as a control plane and workers that are real nodes too, or a list of them (a path, or the YAML itself)',
    default: '1',
    implied: true,
    example: '3',
    flag: 'nodes',
  },
  'control-planes': {
    kind: 'text',
    about: 'control planes of the cluster, all on this machine, behind a balancer; an odd number survives failures',
    default: '1',
    implied: true,
    example: '3',
    flag: 'control-planes',
  },
  workers: {
    kind: 'text',
    about: 'nodes by the number of workers, without control planes',
    example: '2',
    flag: 'workers',
  },
  'kind-config': {
    kind: 'config',
    about: "kind's `Cluster` file: a path, or the YAML itself; `config` and other inputs win over it",
    example: 'test/kind.yaml',
    flag: 'kind-config',
  },
  cni: {
    kind: 'choice',
    about: 'Pod network: `bridge`, or `none` to install one of your own afterwards; then choose gates with `wait`',
    choices: POD_NETWORKS as readonly string[],
    default: DEFAULT_POD_NETWORK as string,
    example: 'none',
    flag: 'cni',
  },
  'feature-gates': {
    kind: 'gates',
    about: 'feature gates of Kubernetes, for all of its components',
    example: 'InPlacePodVerticalScaling=true,MutatingAdmissionPolicy=true',
  },
  'runtime-config': {
    kind: 'settings',
    about: 'APIs that the API server serves or does not serve',
    example: 'api/alpha=true',
  },
  'extra-args': {
    kind: 'arguments',
    about: 'further flags, as YAML: for each of apiserver, controller-manager, scheduler, etcd and kubelet',
    example: '{ apiserver: { v: 4 }, kubelet: { max-pods: 200 } }',
  },
  'image-repository': {
    kind: 'text',
    about: 'registry to pull control plane images from',
    default: 'registry.k8s.io',
    implied: true,
    example: 'registry.example.org/k8s',
    flag: 'image-repository',
  },
  mirrors: {
    kind: 'list',
    about: 'where to fetch from: `URL` instead of dl.k8s.io and github.com, `HOST=URL` for one host or registry',
    example: 'https://mirror.example.org, docker.io=https://mirror.gcr.io',
    flag: 'mirror',
  },
  artifacts: {
    kind: 'folder',
    about: 'folder with `bin`, `images` and `cni` of a cluster; nothing is downloaded then',
    example: './v1.36.2',
    flag: 'artifacts',
  },
  lock: {
    kind: 'file',
    about: 'file of digests to check downloads against, in place of the built-in ones; `scripts/lock.mts` makes one',
    example: 'ci/kubestep.lock',
    flag: 'lock',
  },
  offline: {
    kind: 'switch',
    about: 'contact nothing: what `artifacts` or the machine’s own cache lack is an error',
    default: 'false',
    example: 'true',
    flag: 'offline',
  },
  'load-images': {
    kind: 'list',
    about: 'images to load when the cluster is up: names of images in Docker, or archives',
    example: 'my-app:test, build/db.tar',
  },
  addons: {
    kind: 'list',
    about: 'what the cluster has beyond what kubeadm gives it: `storage`, `load-balancer`, `network-policy`, or `none`',
    default: 'all of them with profile ci',
    implied: true,
    example: 'storage',
    flag: 'addons',
  },
  registry: {
    kind: 'text',
    about: 'registry without TLS, as a service container of the job is one: Pods get `localhost:5000/...` from it',
    example: 'localhost:5000',
    flag: 'registry',
  },
  'pod-network-cidr': {
    kind: 'subnets',
    about: 'addresses of Pods',
    default: DEFAULT_POD_SUBNET as string,
    implied: true,
    example: '10.100.0.0/16',
    flag: 'pod-network-cidr',
  },
  'service-cidr': {
    kind: 'subnets',
    about: 'addresses of Services',
    default: '10.96.0.0/12',
    implied: true,
    example: '10.200.0.0/16',
    flag: 'service-cidr',
  },
  'service-dns-domain': {
    kind: 'text',
    about: 'DNS domain of Services',
    default: 'cluster.local',
    implied: true,
    example: 'test.example',
    flag: 'service-dns-domain',
  },
  'node-name': {
    kind: 'text',
    about: 'name of the node',
    default: 'the host name',
    implied: true,
    example: 'node',
    flag: 'node-name',
  },
  'cluster-name': {
    kind: 'text',
    about: 'name of the cluster, also in the kubeconfig',
    default: 'kubernetes',
    implied: true,
    example: 'test',
  },
  'apiserver-port': {
    kind: 'port',
    about: 'port of the API server',
    default: '6443',
    implied: true,
    example: '8443',
    flag: 'apiserver-bind-port',
  },
  'apiserver-cert-extra-sans': {
    kind: 'list',
    about: "further names and addresses in the API server's certificate",
    example: 'cluster.example.org',
    flag: 'apiserver-cert-extra-sans',
  },
  patches: {
    kind: 'folder',
    about: 'folder with kubeadm patches (`target[suffix][+patchtype].extension`)',
    example: './patches',
    flag: 'patches',
  },
  runtime: {
    kind: 'text',
    about:
      '`private` (a containerd of our own, which leaves Docker alone), `auto` (a runtime that serves CRI, if there is one) or a socket',
    default: 'auto',
    example: 'unix:///run/containerd/containerd.sock',
    flag: 'runtime',
  },
  install: {
    kind: 'switch',
    about:
      'install what the machine lacks (containerd, runc, CNI plugins) with its package manager; hosted runners lack nothing',
    default: 'true',
    example: 'false',
    flag: 'install',
  },
  'skip-phases': {
    kind: 'list',
    about: 'phases of init to leave out',
    example: 'addon/kube-proxy',
    flag: 'skip-phases',
  },
  'ignore-preflight-errors': {
    kind: 'list',
    about: 'checks whose errors count as warnings, or `all`',
    example: 'Swap',
    flag: 'ignore-preflight-errors',
  },
  wait: {
    kind: 'list',
    about: 'gates that have to hold before the step is green, `all` or `none`',
    default: 'all',
    example: 'api,node',
    flag: 'wait',
  },
  timeout: {
    kind: 'duration',
    about: 'how long the whole of it may take; after that the step fails and says why',
    default: DEFAULT_TIMEOUT as string,
    example: '90s',
  },
  kubeconfig: {
    kind: 'text',
    about: 'file to write the kubeconfig to; it must not exist yet, and goes with the cluster',
    default: 'a file in the temporary folder of the job',
    implied: true,
    example: './kubeconfig',
  },
  cache: {
    kind: 'switch',
    about: 'keep binaries and images in the cache of the workflow; without such a service this does nothing',
    default: 'true',
    example: 'false',
  },
  logs: {
    kind: 'choice',
    about: 'when the logs of the cluster are collected at the end of the job',
    choices: ['on-failure', 'always', 'never'],
    default: 'on-failure',
    example: 'always',
  },
  cleanup: {
    kind: 'choice',
    about: 'whether the cluster is taken away at the end of the job',
    choices: ['always', 'never'],
    default: 'always',
    example: 'never',
  },
  'if-exists': {
    kind: 'choice',
    about: 'what to do about a cluster of kubestep that is on the machine already, as a killed job leaves one',
    choices: ['fail', 'replace'],
    default: 'fail',
    example: 'replace',
  },
  'job-status': {
    kind: 'text',
    about: 'leave it alone: how the end of the job learns whether a step has failed',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of the runner.
    default: '${{ job.status }}',
    example: 'success',
    internal: true,
  },
} as const

export type InputName = keyof typeof INPUTS

/** The table as rows. */
export const INPUT_ROWS: readonly (readonly [InputName, Input])[] = Object.entries(INPUTS) as [InputName, Input][]
