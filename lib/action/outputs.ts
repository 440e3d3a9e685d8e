/** Every output of the action, once: action.yml, the README and the code that sets them walk this table. */

export interface OutputSpec {
  /** One sentence without a full stop. */
  readonly about: string
  readonly example: string
}

export const OUTPUTS = {
  kubeconfig: {
    about: 'path of the kubeconfig (0600, yours); also in the environment as KUBECONFIG',
    example: '/home/runner/work/_temp/kubestep/kubeconfig',
  },
  context: { about: 'name of its context', example: 'kubernetes-admin@kubernetes' },
  'kubernetes-version': { about: 'version of Kubernetes that runs', example: 'v1.36.2' },
  server: { about: 'address of the API server', example: 'https://10.1.0.4:6443' },
  'ca-cert': {
    about: "path of a file with the certificate of the cluster's CA",
    example: '/home/runner/work/_temp/kubestep/ca.crt',
  },
  'node-name': { about: 'name of the node', example: 'runnervm1' },
  kubectl: {
    about: 'path of the kubectl of that version, first on the PATH; empty when the artifacts have none',
    example: '/home/runner/work/_temp/kubestep/bin/kubectl',
  },
  runtime: { about: 'name and version of the container runtime', example: 'containerd v2.3.5' },
  images: { about: 'images of the cluster, as a JSON list', example: '["registry.k8s.io/kube-apiserver:v1.36.2"]' },
  'time-to-ready': { about: 'milliseconds from the start of init until every gate held', example: '9120' },
  timings: {
    about: 'JSON: milliseconds from the start of init by what was reached',
    example: '{"runtime":512,"API answers":4100,"dns":9120}',
  },
  'cache-hit': { about: 'whether binaries and images came from the cache: `true` or `false`', example: 'true' },
  logs: {
    about: 'folder that holds collected logs; `kubestep-logs` in a later step puts a new archive there',
    example: '/home/runner/work/_temp/kubestep/logs',
  },
  result: {
    about: 'JSON of everything above, or of the failure: reason, broken link, its cause and last lines',
    example: '{"ready":true,"kubernetesVersion":"v1.36.2"}',
  },
} as const

export type OutputName = keyof typeof OUTPUTS

/** The table as rows. */
export const OUTPUT_ROWS: readonly (readonly [OutputName, OutputSpec])[] = Object.entries(OUTPUTS) as [
  OutputName,
  OutputSpec,
][]
