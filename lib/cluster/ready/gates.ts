/**
 * What has to hold before a cluster is called ready: one row per gate, in the order in which they can come true.
 * Each looks once and says what it saw; waiting is done in wait-gates.ts.
 */
import { Resolver } from 'node:dns/promises'
import { request } from 'node:https'
import { reasonOf } from '../../base/errors.ts'
import type { JsonObject } from '../../base/json.ts'
import { isSince, type Version } from '../../base/version.ts'
import type { Api } from '../api/api-client.ts'
import { conditionOf } from '../api/condition.ts'

export interface GateContext {
  readonly api: Api
  readonly version: Version
  readonly nodeName: string
  readonly dnsDomain: string
  /** First and tenth address of the Service range. */
  readonly apiServiceAddress: string
  readonly dnsServiceAddress: string
  /** Name of the probe Pod in namespace default, where there is no CoreDNS. */
  readonly probePod: string
  /** Its image; has to be on the node. */
  readonly pauseImage: string
  /** Whether the cluster has the addons at all. */
  readonly hasProxy: boolean
  readonly hasDns: boolean
  /** Whether every image is in; undefined for who loads none. */
  readonly imagesIn?: () => boolean
}

/** True when it holds; otherwise what is in the way. */
export type Verdict = true | string

export interface Gate {
  readonly name: string
  readonly about: string
  /** Gates that have to hold first. */
  readonly after: readonly string[]
  readonly applies?: (context: GateContext) => boolean
  readonly check: (context: GateContext) => Promise<Verdict>
  /** Takes away what the check made. */
  readonly cleanUp?: (context: GateContext) => Promise<void>
}

const DEFAULT_PODS = '/api/v1/namespaces/default/pods'
const DNS_PODS = '/api/v1/namespaces/kube-system/pods?labelSelector=k8s-app%3Dkube-dns'

export const GATES: readonly Gate[] = [
  {
    name: 'api',
    about: 'the API server is ready',
    after: [],
    check: async ({ api }) => {
      const { status, body } = await api.send('GET', '/readyz')
      return (
        status === 200 ||
        `the API server says ${status}: ${body
          .split('\n')
          .filter(line => line.startsWith('[-]'))
          .join(' ')}`
      )
    },
  },
  {
    name: 'control-plane',
    about: 'controller manager and scheduler are healthy',
    after: ['api'],
    check: async () => {
      const verdicts = await Promise.all([health('kube-controller-manager', 10257), health('kube-scheduler', 10259)])
      return verdicts.find(verdict => verdict !== true) ?? true
    },
  },
  {
    name: 'node',
    about: 'the node is Ready',
    after: ['api'],
    check: async ({ api, nodeName }) => {
      const node = await api.get(`/api/v1/nodes/${nodeName}`)
      if (node === undefined) return `node "${nodeName}" has not registered`
      const ready = conditionOf(node, 'Ready')
      return ready?.status === 'True' || `node "${nodeName}" is not Ready: ${ready?.message ?? 'no status yet'}`
    },
  },
  {
    name: 'service-account',
    about: 'the default ServiceAccount and kube-root-ca.crt exist in namespace default',
    after: ['control-plane'],
    check: async ({ api, version }) => {
      const [account, rootCa] = await Promise.all([
        api.get('/api/v1/namespaces/default/serviceaccounts/default'),
        api.get('/api/v1/namespaces/default/configmaps/kube-root-ca.crt'),
      ])
      if (account === undefined) return 'the controller manager has not made the default ServiceAccount'
      // RootCAConfigMap is on since 1.20.
      return (
        rootCa !== undefined || !isSince(version, '1.20') || 'the controller manager has not published kube-root-ca.crt'
      )
    },
  },
  {
    name: 'kube-proxy',
    about: 'the API server answers at its Service address',
    after: ['node'],
    applies: ({ hasProxy }) => hasProxy,
    check: async ({ apiServiceAddress }) => health('the API Service', 443, apiServiceAddress, '/livez'),
  },
  {
    name: 'pod',
    about: 'a Pod has run',
    // The node and the scheduler take it up as soon as they are there themselves.
    after: ['api'],
    check: async ({ api, nodeName, probePod, pauseImage, hasDns }) => {
      // Its Pod comes the way that a user's would; one more would only be in its way.
      if (hasDns) return hasRun(await api.get(DNS_PODS))
      const pod = await api.get(`${DEFAULT_PODS}/${probePod}`)
      if (pod === undefined) {
        const { status, body } = await api.send('POST', DEFAULT_PODS, podThatOnlyRuns(probePod, nodeName, pauseImage))
        return status < 300 ? 'the probe Pod has just been made' : `the probe Pod was refused: ${body}`
      }
      return phaseOf(pod) === 'Running' || `the probe Pod is ${phaseOf(pod)}: ${waitingReason(pod)}`
    },
    cleanUp: async ({ api, probePod, hasDns }) => {
      if (!hasDns) await api.send('DELETE', `${DEFAULT_PODS}/${probePod}?gracePeriodSeconds=0`)
    },
  },
  {
    name: 'dns',
    about: 'CoreDNS answers a name at its Service address',
    after: ['kube-proxy', 'node'],
    applies: ({ hasDns, hasProxy }) => hasDns && hasProxy,
    check: async ({ dnsServiceAddress, dnsDomain, apiServiceAddress }) => {
      const resolver = new Resolver({ timeout: 300, tries: 1 })
      resolver.setServers([dnsServiceAddress])
      const name = `kubernetes.default.svc.${dnsDomain}`
      try {
        const found = apiServiceAddress.includes(':') ? await resolver.resolve6(name) : await resolver.resolve4(name)
        return (
          found.includes(apiServiceAddress) ||
          `${dnsServiceAddress} gives ${found.join(', ')} for ${name}, not ${apiServiceAddress}`
        )
      } catch (error) {
        return `${dnsServiceAddress} does not answer for ${name}: ${reasonOf(error)}`
      }
    },
  },
  {
    name: 'images',
    about: 'every image is in the runtime, yours too',
    after: [],
    applies: ({ imagesIn }) => imagesIn !== undefined,
    check: async ({ imagesIn }) => imagesIn?.() === true || 'archives are still on their way into the runtime',
  },
]

/** Whether a component says that it is healthy, on its health port; the certificate there is self-signed, so it is not checked. */
function health(component: string, port: number, host = '127.0.0.1', path = '/healthz'): Promise<Verdict> {
  return new Promise(resolve => {
    const call = request({ host, port, path, rejectUnauthorized: false, timeout: 1000, agent: false }, response => {
      response.resume()
      const { statusCode } = response
      // 401 and 403 come from a server that works and wants to know who asks.
      resolve([200, 401, 403].includes(statusCode ?? 0) || `${component} at ${host}:${port} says ${statusCode}`)
    })
    call.on('timeout', () => call.destroy(new Error('no answer')))
    call.on('error', error => resolve(`${component} at ${host}:${port} does not answer: ${error.message}`))
    call.end()
  })
}

/** Whether one of the Pods of CoreDNS runs. */
function hasRun(list: JsonObject | undefined): Verdict {
  const pods = (list?.items ?? []) as readonly JsonObject[]
  if (pods.some(pod => phaseOf(pod) === 'Running')) return true
  const [first] = pods
  return first === undefined
    ? 'there is no Pod of CoreDNS yet'
    : `the Pod of CoreDNS is ${phaseOf(first)}: ${waitingReason(first)}`
}

function phaseOf(pod: JsonObject): unknown {
  return (pod.status as JsonObject | undefined)?.phase
}

function conditionsOf(object: JsonObject): readonly JsonObject[] {
  return ((object.status as JsonObject | undefined)?.conditions ?? []) as readonly JsonObject[]
}

function waitingReason(pod: JsonObject): string {
  const statuses = ((pod.status as JsonObject | undefined)?.containerStatuses ?? []) as readonly JsonObject[]
  const waiting = ((statuses[0]?.state as JsonObject | undefined)?.waiting ?? {}) as JsonObject
  const unscheduled = conditionsOf(pod).find(condition => condition.status === 'False')
  return String(waiting.message ?? waiting.reason ?? unscheduled?.message ?? 'no reason given yet')
}

function podThatOnlyRuns(name: string, nodeName: string, image: string): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels: { app: name } },
    spec: {
      containers: [{ name: 'probe', image, imagePullPolicy: 'IfNotPresent' }],
      // Through the scheduler, as a user's Pod would; but it has to get past the control plane's taint.
      tolerations: [{ operator: 'Exists' }],
      nodeSelector: { 'kubernetes.io/hostname': nodeName },
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
    },
  }
}
