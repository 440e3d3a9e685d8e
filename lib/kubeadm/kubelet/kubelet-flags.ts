/** kubeadm-flags.env: the kubelet's command line as far as kubeadm decides it. */

import { goQuote } from '../../base/go/quote.ts'
import type { Arg, InitConfig } from '../../base/kubeadm.ts'
import { isSince, type Since, valueSince } from '../../base/version.ts'
import type { HostFacts } from '../../machine/host/facts.ts'
import { SYSTEMD_RESOLV_CONF } from '../component-configs/kubelet-config.ts'
import { imageOf } from '../images/image-list.ts'
import { argumentValue, formatArguments, mergeArguments } from '../manifests/command-line.ts'
import { isSocketNodeLocal } from './instance-config.ts'

type Facts = Pick<HostFacts, 'hostname' | 'systemdResolved'>

interface FlagRow {
  readonly name: string
  /** Undefined: the flag is left out. */
  readonly value: (config: InitConfig, facts: Facts) => string | undefined
  /** In which kubeadm releases; absent means in all. */
  readonly releases?: Since<boolean>
}

/** Docker through the kubelet's own shim. Source: kubeadm constants_unix.go (v1.23); the shim went with 1.24. */
const DOCKER_SOCKET = '/var/run/dockershim.sock'
const DOCKER_SHIM: Since<boolean> = { '1.18': true, '1.24': false }

/** From when on every runtime's kubelet is told of the pause image, not Docker's alone. Source: flags.go (v1.20, v1.21). */
const PAUSE_IMAGE_OF_ALL = '1.21'

/** Source: kubeadm phases/kubelet/flags.go of each release from 1.18 to 1.36, flags_unix.go (v1.18). */
const FLAGS: readonly FlagRow[] = [
  {
    name: 'network-plugin',
    value: config => (usesDocker(config) ? 'cni' : undefined),
    releases: { '1.18': true, '1.24': false },
  },
  {
    name: 'container-runtime',
    value: config => (usesDocker(config) ? undefined : 'remote'),
    releases: { '1.18': true, '1.26': false },
  },
  {
    name: 'container-runtime-endpoint',
    value: config =>
      usesDocker(config) || isSocketNodeLocal(config) ? undefined : config.init.nodeRegistration.criSocket,
  },
  {
    // The kubelet's garbage collection leaves this image alone; 1.35 no longer needs to be told.
    name: 'pod-infra-container-image',
    value: config => (sparesPauseImage(config) ? imageOf('pause', config) : undefined),
    releases: { '1.18': true, '1.35': false },
  },
  {
    name: 'hostname-override',
    value: (config, facts) => {
      const name = nodeName(config)
      return name === hostName(facts) ? undefined : name
    },
  },
  {
    name: 'feature-gates',
    value: ({ cluster }) =>
      cluster.featureGates?.IPv6DualStack === undefined
        ? undefined
        : `IPv6DualStack=${cluster.featureGates.IPv6DualStack}`,
    releases: { '1.18': true, '1.19': false },
  },
  {
    name: 'resolv-conf',
    value: (_, facts) => (facts.systemdResolved ? SYSTEMD_RESOLV_CONF : undefined),
    releases: { '1.18': true, '1.19': false },
  },
]

/** The flags with the user's kubeletExtraArgs merged in, by the rule of the release. */
export function kubeletFlags(config: InitConfig, facts: Facts): Arg[] {
  const defaults = FLAGS.flatMap(({ name, value, releases }) => {
    if (releases !== undefined && !valueSince(releases, config.kubeadm)) return []
    const text = value(config, facts)
    return text === undefined ? [] : [{ name, value: text }]
  })
  return mergeArguments(defaults, config.init.nodeRegistration.kubeletExtraArgs ?? [], config.kubeadm)
}

/** Content of the file: one line that a shell and systemd read. Source: phases/kubelet/flags.go (v1.36). */
export function kubeletFlagsFile(config: InitConfig, facts: Facts): string {
  return `KUBELET_KUBEADM_ARGS=${goQuote(formatArguments(kubeletFlags(config, facts)).join(' '))}\n`
}

function usesDocker({ init, kubeadm }: InitConfig): boolean {
  return init.nodeRegistration.criSocket === DOCKER_SOCKET && valueSince(DOCKER_SHIM, kubeadm) === true
}

function sparesPauseImage(config: InitConfig): boolean {
  return usesDocker(config) || isSince(config.kubeadm, PAUSE_IMAGE_OF_ALL)
}

// The hostname-override argument beats the configured name, even when it is empty.
function nodeName({ init }: InitConfig): string {
  const { name, kubeletExtraArgs } = init.nodeRegistration
  return argumentValue(kubeletExtraArgs, 'hostname-override') ?? name
}

function hostName({ hostname }: Facts): string {
  return hostname.trim().toLowerCase()
}
