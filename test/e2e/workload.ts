/** What a user would run first: a Pod, two web servers behind a Service with a node port, and a Pod that calls them. */
import type { JsonObject } from '../../lib/base/json.ts'
import { until } from './programs.ts'
import { TEST_IMAGE } from './targets.ts'

/** Port of the Service on every node. */
export const NODE_PORT = 30080
export const REPLICAS = 2

const labels = { app: 'web' }

/** The objects as a List, for `kubectl apply`. */
export function workload(): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web', namespace: 'default' },
        spec: {
          replicas: REPLICAS,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: {
              terminationGracePeriodSeconds: 0,
              containers: [
                {
                  name: 'web',
                  image: TEST_IMAGE,
                  // Each answers with its own name.
                  command: [
                    'sh',
                    '-c',
                    'mkdir /www; hostname >/www/index.html; echo serving; exec httpd -f -p 8080 -h /www',
                  ],
                  ports: [{ containerPort: 8080 }],
                  readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
                },
              ],
            },
          },
        },
      },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'web', namespace: 'default' },
        spec: { type: 'NodePort', selector: labels, ports: [{ port: 80, targetPort: 8080, nodePort: NODE_PORT }] },
      },
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'client', namespace: 'default' },
        spec: {
          terminationGracePeriodSeconds: 0,
          containers: [{ name: 'client', image: TEST_IMAGE, command: ['sleep', '1000000'] }],
        },
      },
    ],
  }
}

/** kubectl with arguments; gives its standard output, and throws when it fails. */
export type Kubectl = (...args: readonly string[]) => Promise<string>

/** Runs a Pod to its end, as users do it by hand, and reads what it said. */
export async function runPod(kubectl: Kubectl): Promise<void> {
  const pod = { spec: { automountServiceAccountToken: false, terminationGracePeriodSeconds: 0 } }
  await kubectl(
    ...['run', 'hello', `--image=${TEST_IMAGE}`, '--restart=Never', '--image-pull-policy=Never'],
    ...[`--overrides=${JSON.stringify(pod)}`, '--', 'echo', 'a Pod has run'],
  )
  await until('the Pod has run', async () => (await kubectl('logs', 'hello')).includes('a Pod has run'))
}
