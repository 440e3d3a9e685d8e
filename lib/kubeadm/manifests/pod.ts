/** A static Pod: the tables of its component put together. Pure: configuration and host facts in, Pod out. */

import { joinHostPort } from '../../base/address.ts'
import { KubestepError } from '../../base/errors.ts'
import { isObject, type JsonObject } from '../../base/json.ts'
import type { Arg, EnvVar, InitConfig } from '../../base/kubeadm.ts'
import { valueSince } from '../../base/version.ts'
import { imageOf } from '../images/image-list.ts'
import { APISERVER_ARGUMENTS } from './apiserver-args.ts'
import { filtersModes } from './authorization.ts'
import {
  type ArgumentRow,
  defaultArguments,
  type EtcdMember,
  formatArguments,
  mergeArguments,
  type PodInput,
} from './command-line.ts'
import { CONTROLLER_MANAGER_ARGUMENTS } from './controller-manager-args.ts'
import { ETCD_ARGUMENTS } from './etcd-args.ts'
import { etcdClientUrl } from './etcd-endpoints.ts'
import { extraArguments } from './overrides.ts'
import { mergeEnvironment } from './pod-environment.ts'
import { probes } from './probes.ts'
import { type RootlessIds, rootlessContexts } from './rootless.ts'
import { SCHEDULER_ARGUMENTS } from './scheduler-args.ts'
import { COMMON_SPEC, type ComponentName, CREATION_TIMESTAMP, RESOURCES } from './static-pods.ts'
import { volumesAndMounts } from './volumes.ts'

/** What a Pod hangs on besides configuration and host. */
export interface PodOptions {
  /** Whether the cluster's CA key is kept elsewhere. */
  readonly externalCa?: boolean
  /** On join: the etcd members there are, the new one included. */
  readonly etcdMembers?: readonly EtcdMember[]
  /** The users made for the RootlessControlPlane gate; without them the Pod runs as root. */
  readonly rootless?: RootlessIds
}

/** Default arguments, by component. */
export const ARGUMENTS: Readonly<Record<ComponentName, readonly ArgumentRow[]>> = {
  etcd: ETCD_ARGUMENTS,
  'kube-apiserver': APISERVER_ARGUMENTS,
  'kube-controller-manager': CONTROLLER_MANAGER_ARGUMENTS,
  'kube-scheduler': SCHEDULER_ARGUMENTS,
}

/** By which other nodes and kubeadm itself find the component. Source: kubeadm constants.go. */
const ANNOTATIONS: Readonly<Partial<Record<ComponentName, (config: InitConfig) => JsonObject>>> = {
  etcd: config => ({ 'kubeadm.kubernetes.io/etcd.advertise-client-urls': etcdClientUrl(config) }),
  'kube-apiserver': ({ init: { localAPIEndpoint: endpoint } }) => ({
    'kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint': joinHostPort(
      endpoint.advertiseAddress,
      endpoint.bindPort,
    ),
  }),
}

/**
 * The static Pod of a component as kubeadm's release writes it; undefined members are not written.
 * Throws a KubestepError when etcd is asked for and the configuration names an external one.
 * Source: kubeadm util/staticpod/utils.go, ComponentPod (v1.36).
 */
export function staticPod(
  component: ComponentName,
  config: InitConfig,
  facts: PodInput['facts'],
  options: PodOptions = {},
): JsonObject {
  if (component === 'etcd' && config.cluster.etcd.local === undefined) {
    throw new KubestepError(
      'static-pod: cannot render "etcd": the configuration names an external etcd; leave etcd out',
    )
  }
  const input = inputOf(config, facts, options)
  const contexts = options.rootless && rootlessContexts(component, options.rootless)
  const { volumes, volumeMounts } = volumesAndMounts(component, input)
  const spec = commonSpec(config)
  const env = environment(component, input)
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      annotations: ANNOTATIONS[component]?.(config),
      creationTimestamp: valueSince(CREATION_TIMESTAMP, config.kubeadm),
      labels: { component, tier: 'control-plane' },
      name: component,
      namespace: 'kube-system',
    },
    spec: {
      ...spec,
      containers: [
        {
          command: [component, ...formatArguments(componentArguments(component, input))],
          ...(env.length > 0 && { env }),
          image: imageOf(component, config),
          imagePullPolicy: 'IfNotPresent',
          name: component,
          resources: valueSince(RESOURCES[component], config.kubeadm),
          securityContext: contexts?.container,
          ...probes(component, config),
          volumeMounts,
        },
      ],
      ...(contexts && {
        securityContext: { ...(isObject(spec.securityContext) && spec.securityContext), ...contexts.pod },
      }),
      volumes,
    },
    status: {},
  }
}

/** What the tables of arguments and volumes are given. */
export function inputOf(config: InitConfig, facts: PodInput['facts'], options: PodOptions): PodInput {
  return { config, facts, externalCa: options.externalCa ?? false, etcdMembers: options.etcdMembers ?? [] }
}

function commonSpec({ kubeadm }: InitConfig): JsonObject {
  return Object.fromEntries(Object.entries(COMMON_SPEC).map(([name, rows]) => [name, valueSince(rows, kubeadm)]))
}

/** The arguments of a component, defaults and the user's. */
export function componentArguments(component: ComponentName, input: PodInput): Arg[] {
  const { config } = input
  const defaults = defaultArguments(ARGUMENTS[component], input)
  const given = extraArguments(component, config)
  // Older releases put the filtered modes in the place of the user's own.
  const overrides =
    component === 'kube-apiserver' && filtersModes(config)
      ? given.filter(({ name }) => name !== 'authorization-mode')
      : given
  return mergeArguments(defaults, overrides, config.kubeadm)
}

// etcd does not go through a proxy.
function environment(component: ComponentName, { config: { cluster }, facts }: PodInput): JsonObject[] {
  const proxies = facts.proxyEnvironment
  const lists: Readonly<Record<ComponentName, readonly (readonly EnvVar[] | undefined)[]>> = {
    etcd: [cluster.etcd.local?.extraEnvs],
    'kube-apiserver': [proxies, cluster.apiServer.extraEnvs],
    'kube-controller-manager': [proxies, cluster.controllerManager.extraEnvs],
    'kube-scheduler': [proxies, cluster.scheduler.extraEnvs],
  }
  return mergeEnvironment(...lists[component])
}
