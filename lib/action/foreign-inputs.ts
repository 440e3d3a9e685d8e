/** Inputs that other actions have, and what they are called here: for those who come over. */
import type { InputName } from './inputs.ts'

interface ForeignInput {
  readonly names: readonly string[]
  /** The input here, or in words what to do instead. */
  readonly use: InputName | string
}

/** Source: action.yml of the actions that are named, 2026. */
export const FOREIGN_INPUTS: readonly ForeignInput[] = [
  {
    names: [
      'version',
      'kubernetes_version',
      'k8s-version',
      'k3s-version',
      'kubectl_version',
      'kubectl-version',
      'channel',
    ],
    use: 'kubernetes-version',
  },
  { names: ['node_image', 'node-image', 'image'], use: 'kubernetes-version' },
  { names: ['cluster_name', 'name', 'k3d-name', 'profile-name'], use: 'cluster-name' },
  { names: ['launch-configuration', 'kubeadm-config', 'config-file', 'config_file'], use: 'config' },
  { names: ['network-plugin', 'network_plugin'], use: 'cni' },
  {
    names: ['extra-config', 'extra_args', 'extra-setup-args', 'start-args', 'start_args', 'k3d-args', 'args'],
    use: 'extra-args',
  },
  { names: ['feature_gates'], use: 'feature-gates' },
  { names: ['runtime_config'], use: 'runtime-config' },
  { names: ['image-mirror', 'mirror', 'binary-mirror'], use: 'mirrors' },
  { names: ['images', 'sideload-images-path', 'load_images'], use: 'load-images' },
  { names: ['timeout-minutes', 'wait-timeout', 'wait_timeout'], use: 'timeout' },
  { names: ['skip-readiness'], use: 'wait' },
  { names: ['kubeconfig-path', 'export-kubeconfig', 'kubeconfig_path'], use: 'kubeconfig' },
  { names: ['skipclusterdeletion', 'ignore_failed_clean'], use: 'cleanup' },
  { names: ['skipclusterlogsexport'], use: 'logs' },
  { names: ['container-runtime', 'driver', 'cri-socket'], use: 'runtime' },
  { names: ['pod-cidr', 'pod-subnet', 'cluster-cidr'], use: 'pod-network-cidr' },
  { names: ['service-subnet', 'service-cluster-ip-range'], use: 'service-cidr' },
  {
    names: ['install_only', 'install-only', 'skipclustercreation', 'skip-creation', 'start', 'mode'],
    use: 'the action always brings a cluster up; to prepare a machine only, run the bundle script in a step of its own',
  },
  {
    names: ['verbosity', 'log_level', 'log-level', 'quiet'],
    use: 'set the secret or variable ACTIONS_STEP_DEBUG to true to see more',
  },
  {
    names: ['registry_name', 'registry_port', 'registry_image', 'registry_enable_delete', 'registry-port'],
    use: 'run a registry as a service container of the job, and name it with registry',
  },
  { names: ['insecure-registry', 'insecure_registry'], use: 'registry' },
  { names: ['cloud_provider', 'load-balancer', 'storage'], use: 'addons' },
  { names: ['manifests'], use: 'apply what you need with kubectl in the next step' },
  { names: ['agents'], use: 'workers' },
  { names: ['servers'], use: 'control-planes' },
  { names: ['memory', 'cpus', 'cpu'], use: 'the cluster is this machine' },
  { names: ['token', 'github-token', 'github_token'], use: 'no token is needed' },
  { names: ['minikube-version', 'k3d-version', 'k3d-tag', 'helm-version', 'kustomize-version'], use: 'leave it out' },
]

/** What a known foreign name is here; undefined for names that nobody has. */
export function foreignInput(name: string): string | undefined {
  return FOREIGN_INPUTS.find(({ names }) => names.includes(name))?.use
}
