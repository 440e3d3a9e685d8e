/** Configurations as kubeadm writes them: every API version's fields, zero values left out as Go leaves them out. */

import { encodeStruct } from '../../base/go/struct.ts'
import { isObject, type JsonObject } from '../../base/json.ts'
import type { ApiVersion, Arg, ClusterConfiguration, InitConfig, InitConfiguration } from '../../base/kubeadm.ts'
import { type Since, type Version, valueSince } from '../../base/version.ts'
import { authorizationMode } from '../manifests/authorization.ts'
import { fromV1beta4 } from './convert.ts'
import { structOf } from './kinds.ts'

/** In these releases writing the static Pods left its authorization mode in the configuration. Source: kubeadm phases/controlplane/manifests.go (v1.28, v1.30). */
const KEEPS_AUTHORIZATION_MODE: Since<boolean> = { '1.18': true, '1.30': false }

/** The ClusterConfiguration that upload-config stores. */
export function printClusterConfiguration(config: InitConfig, apiVersion: ApiVersion): JsonObject {
  const { init, kubeadm } = config
  const cluster = valueSince(KEEPS_AUTHORIZATION_MODE, kubeadm) ? withAuthorizationMode(config) : config.cluster
  return printCluster(cluster, init, apiVersion, kubeadm)
}

/** A ClusterConfiguration with nothing added; `init` holds its timeout in versions before v1beta4. */
export function printCluster(
  cluster: ClusterConfiguration,
  init: Pick<InitConfiguration, 'timeouts'>,
  apiVersion: ApiVersion,
  release: Version,
): JsonObject {
  const timeout = init.timeouts.controlPlaneComponentHealthCheck
  return printDocument('ClusterConfiguration', fromV1beta4(apiVersion, asJson(cluster), timeout), apiVersion, release)
}

/** An InitConfiguration; taints are written even when there are none. */
export function printInit(init: InitConfiguration, apiVersion: ApiVersion, release: Version): JsonObject {
  const timeout = init.timeouts.controlPlaneComponentHealthCheck
  return printDocument('InitConfiguration', fromV1beta4(apiVersion, asJson(init), timeout), apiVersion, release)
}

/** A document of any kind; fields that the API version or the release does not have are left out. */
export function printDocument(kind: string, value: object, apiVersion: ApiVersion, release: Version): JsonObject {
  const document = asJson(value)
  const { value: printed } = encodeStruct(structOf(apiVersion, kind) ?? [], document, release)
  return { apiVersion, kind, ...withTaints(printed, document) }
}

// Taints are the one list that is written when it is empty.
function withTaints(printed: JsonObject, document: JsonObject): JsonObject {
  const { nodeRegistration } = document
  if (!isObject(nodeRegistration) || !isObject(printed.nodeRegistration)) return printed
  return { ...printed, nodeRegistration: { taints: nodeRegistration.taints ?? null, ...printed.nodeRegistration } }
}

function withAuthorizationMode(config: InitConfig): ClusterConfiguration {
  const { cluster } = config
  const { mode } = authorizationMode(config)
  if (mode === undefined) return cluster
  const name = 'authorization-mode'
  const args: readonly Arg[] = cluster.apiServer.extraArgs ?? []
  const extraArgs = [...args.filter(arg => arg.name !== name), { name, value: mode }]
  return { ...cluster, apiServer: { ...cluster.apiServer, extraArgs } }
}

// Interfaces have no index signature, so the compiler has to be told that they are plain data.
function asJson(value: object): JsonObject {
  return value as JsonObject
}
