/** What charts bring: a StatefulSet with claims, what may talk with it, a load balancer, and the rest of a release's objects. */
import type { JsonObject } from '../../lib/base/json.ts'
import { TEST_IMAGE } from './targets.ts'

export const PORT = 8080

/** On each node: one that may call the database, one that may not. */
export const CALLERS: readonly string[] = ['client', 'stranger']

/** So many of each as there are nodes, each on one of its own; `minor` is that of Kubernetes. */
export function chart(nodes: number, minor: number): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      replicated('StatefulSet', 'db', nodes, 'cd /data; test -e index.html || echo "$HOSTNAME" >index.html'),
      replicated('Deployment', 'web', nodes, 'mkdir /tmp/www; cd /tmp/www; echo "$HOSTNAME" >index.html'),
      ...CALLERS.map(caller),
      service('db', { clusterIP: 'None' }),
      service('web', { type: 'LoadBalancer', externalTrafficPolicy: 'Local' }),
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name: 'db' },
        spec: {
          podSelector: { matchLabels: { app: 'db' } },
          policyTypes: ['Ingress'],
          ingress: [{ from: [{ podSelector: { matchLabels: { app: 'client' } } }], ports: [{ port: 'http' }] }],
        },
      },
      {
        apiVersion: minor < 21 ? 'policy/v1beta1' : 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name: 'db' },
        spec: { maxUnavailable: 1, selector: { matchLabels: { app: 'db' } } },
      },
      {
        apiVersion: 'autoscaling/v1',
        kind: 'HorizontalPodAutoscaler',
        metadata: { name: 'web' },
        spec: {
          scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
          minReplicas: nodes,
          maxReplicas: nodes + 1,
        },
      },
      {
        apiVersion: minor < 21 ? 'batch/v1beta1' : 'batch/v1',
        kind: 'CronJob',
        metadata: { name: 'tick' },
        spec: {
          schedule: '0 0 1 1 *',
          jobTemplate: {
            spec: { template: { spec: { restartPolicy: 'Never', containers: [container('tick', 'true')] } } },
          },
        },
      },
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'Ingress',
        metadata: { name: 'web' },
        spec: { defaultBackend: { service: { name: 'web', port: { number: 80 } } } },
      },
    ],
  }
}

/** A Service of type LoadBalancer, one of many. */
export function balanced(name: string): JsonObject {
  return service(name, { type: 'LoadBalancer', selector: { app: 'nobody' } })
}

function service(app: string, spec: JsonObject): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: app },
    spec: { selector: { app }, ports: [{ name: 'http', port: 80, targetPort: PORT }], ...spec },
  }
}

function container(name: string, script: string): JsonObject {
  return { name, image: TEST_IMAGE, imagePullPolicy: 'Never', command: ['sh', '-c', script] }
}

/** Serves the folder that `script` leaves it in, as nobody who owns anything. */
function replicated(kind: 'Deployment' | 'StatefulSet', app: string, replicas: number, script: string): JsonObject {
  const apart = { labelSelector: { matchLabels: { app } }, topologyKey: 'kubernetes.io/hostname' }
  const isStateful = kind === 'StatefulSet'
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name: app },
    spec: {
      replicas,
      selector: { matchLabels: { app } },
      template: {
        metadata: { labels: { app } },
        spec: {
          affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [apart] } },
          terminationGracePeriodSeconds: 0,
          securityContext: { runAsUser: 1000 },
          containers: [
            {
              ...container(app, `${script}; exec httpd -f -p ${PORT}`),
              ports: [{ name: 'http', containerPort: PORT }],
              readinessProbe: { tcpSocket: { port: PORT }, periodSeconds: 1 },
              ...(isStateful && { volumeMounts: [{ name: 'data', mountPath: '/data' }] }),
            },
          ],
        },
      },
      ...(isStateful && {
        serviceName: app,
        podManagementPolicy: 'Parallel',
        volumeClaimTemplates: [
          {
            metadata: { name: 'data' },
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } },
          },
        ],
      }),
    },
  }
}

function caller(app: string): JsonObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: app },
    spec: {
      selector: { matchLabels: { app } },
      template: {
        metadata: { labels: { app } },
        spec: { terminationGracePeriodSeconds: 0, containers: [container(app, 'exec sleep 1000000')] },
      },
    },
  }
}
