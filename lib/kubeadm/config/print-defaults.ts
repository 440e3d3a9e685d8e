/** What `config print` shows: kubeadm's defaults with placeholders for what only a host or chance decides. Source: kubeadm cmd/config.go (v1.36). */

import { DEFAULT_VERSION } from '../../base/defaults.ts'
import type { JsonObject } from '../../base/json.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import type { HostFacts } from '../../machine/host/facts.ts'
import { kubeProxyConfiguration } from '../component-configs/kube-proxy-config.ts'
import { kubeletConfiguration } from '../component-configs/kubelet-config.ts'
import { completeCluster } from './cluster-config.ts'
import type { Context } from './draft-config.ts'
import { completeInit } from './init-config.ts'
import { completeJoin } from './join-config.ts'
import { chooseVersion, type VersionChoice } from './kubernetes-version.ts'
import { CONTAINERD_SOCKET } from './node-registration.ts'
import { printCluster, printDocument, printInit } from './print-config.ts'
import { completeReset } from './reset-config.ts'
import { completeUpgrade } from './upgrade-config.ts'

/** What stands for a token and an address that are not known. */
export const PLACEHOLDER_TOKEN = 'abcdef.0123456789abcdef'
export const PLACEHOLDER_ADDRESS = '1.2.3.4'
const WRITTEN = 'kubeadm.k8s.io/v1beta4'

export type ComponentPrinter = (config: InitConfig) => JsonObject

/** The component configurations that can be printed too, by kind. */
export const COMPONENT_DEFAULTS: Readonly<Record<string, ComponentPrinter>> = {
  KubeletConfiguration: config => kubeletConfiguration(config, { systemdResolved: false }),
  KubeProxyConfiguration: kubeProxyConfiguration,
}

/** The documents of `print init-defaults`; `kinds` names component configurations to add. */
export function initDefaults(facts: HostFacts, kinds: readonly string[]): JsonObject[] {
  const config = placeholderConfig(facts)
  const init = printInit(config.init, WRITTEN, config.kubeadm)
  return [
    { ...init, nodeRegistration: { ...(init.nodeRegistration as JsonObject), taints: null } },
    printCluster(config.cluster, config.init, WRITTEN, config.kubeadm),
    ...kinds.map(kind => COMPONENT_DEFAULTS[kind]?.(config) ?? {}),
  ]
}

function placeholderConfig(facts: HostFacts): InitConfig {
  const choice = chooseVersion('') as VersionChoice
  const { minor } = choice.version
  const init = completeInit(
    {
      bootstrapTokens: [{ token: PLACEHOLDER_TOKEN }],
      localAPIEndpoint: { advertiseAddress: PLACEHOLDER_ADDRESS },
      nodeRegistration: { name: 'node', criSocket: CONTAINERD_SOCKET },
    },
    contextOf(facts),
  ).value
  // The version is written without its v there.
  const cluster = completeCluster({}, { ...choice, kubernetesVersion: `1.${minor}.0` }, init.localAPIEndpoint.bindPort)
  const none = { document: {}, userSupplied: false }
  const { version, kubeadm } = choice
  return { init, cluster: cluster.value, kubelet: none, kubeProxy: none, version, kubeadm }
}

/** The document of `print join-defaults`. */
export function joinDefaults(facts: HostFacts): JsonObject {
  const bootstrapToken = {
    token: PLACEHOLDER_TOKEN,
    apiServerEndpoint: 'kube-apiserver:6443',
    unsafeSkipCAVerification: true,
  }
  const context = contextOf(facts)
  const join = completeJoin({ discovery: { bootstrapToken } }, context).value
  return printDocument('JoinConfiguration', join, WRITTEN, context.kubeadm)
}

/** The document of `print reset-defaults`. */
export function resetDefaults(facts: HostFacts): JsonObject {
  const context = contextOf(facts)
  return printDocument('ResetConfiguration', completeReset({}, context).value, WRITTEN, context.kubeadm)
}

/** The document of `print upgrade-defaults`. */
export function upgradeDefaults(facts: HostFacts): JsonObject {
  return printDocument('UpgradeConfiguration', completeUpgrade({}).value, WRITTEN, contextOf(facts).kubeadm)
}

function contextOf(facts: HostFacts): Context {
  return { facts, kubeadm: (chooseVersion(DEFAULT_VERSION) as VersionChoice).kubeadm, detectCriSocket: false }
}
