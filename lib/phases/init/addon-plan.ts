/** What the addons of an init are on this machine: parts of the agent, each with what it is set up with. */
import { formatSubnet, parseSubnet } from '../../base/address.ts'
import { KubestepError } from '../../base/errors.ts'
import type { JsonObject } from '../../base/json.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import type { Flags } from '../../cli/options.ts'
import { type AddonName, chosenAddons } from '../../kubeadm/objects/addon-objects.ts'
import { profileOf } from '../../kubeadm/profile/profile-patch.ts'
import { hasProgram } from '../../machine/host/host-packages.ts'
import type { HostSource } from '../../machine/host/host-source.ts'
import { freeRange } from '../../machine/network/balancer-range.ts'
import { wantsNetwork } from '../../machine/network/pod-network.ts'
import { furtherNodes, type NodeFlags } from '../nodes/node-plan.ts'
import { ruleSettings } from '../run/kernel-settings.ts'

type AddonFlags = Pick<Flags, 'addons' | 'profile' | 'cni' | 'install'> & NodeFlags

export interface AddonPlan {
  /** By the names of the agent's parts; without any there is no agent. */
  readonly parts: Readonly<Record<string, JsonObject>>
  readonly notices: readonly string[]
}

interface Machine {
  readonly config: InitConfig
  readonly flags: AddonFlags
  readonly host: HostSource
}

interface Row {
  /** What keeps it from working here; absent where nothing does. */
  readonly fault?: (machine: Machine) => string | undefined
  readonly settings: (machine: Machine) => JsonObject
}

const ROWS: Readonly<Record<AddonName, Row>> = {
  storage: { settings: () => ({}) },
  'load-balancer': { settings: balancerSettings },
  'network-policy': {
    fault: ({ flags, host }) =>
      !wantsNetwork(flags.cni)
        ? 'the Pod network is somebody else’s, and so are its rules'
        : hasProgram(host, 'nft') || (flags.install && asks(flags, 'network-policy'))
          ? undefined
          : 'there is no nft on this machine; install nftables',
    settings: ({ config }) => ({ podSubnets: ruleSettings(config).map(({ podSubnet }) => podSubnet) }),
  },
}

/** Throws a KubestepError for addons that were asked for by name and cannot work here. */
export function planAddons(config: InitConfig, flags: AddonFlags, host: HostSource): AddonPlan {
  const machine = { config, flags, host }
  const rows = chosenAddons(flags.addons, profileOf(flags)).map(({ name }) => ({
    name,
    fault: ROWS[name].fault?.(machine),
  }))
  const faults = rows.filter(({ fault }) => fault !== undefined)
  if (flags.addons !== undefined && faults.length > 0) {
    throw new KubestepError(
      faults
        .map(({ name, fault }) => `init: cannot set up "${name}" of --addons: ${fault}; or leave it out of --addons`)
        .join('\n'),
    )
  }
  const parts = rows
    .filter(({ fault }) => fault === undefined)
    .map(({ name }): [string, JsonObject] => [name, ROWS[name].settings(machine)])
  const unenforced = parts.length > 0 && wantsNetwork(flags.cni) && !parts.some(([name]) => name === 'network-policy')
  const isPartial = furtherNodes(flags) > 0 && parts.some(([name]) => name === 'network-policy')
  const why = faults.find(({ name }) => name === 'network-policy')?.fault ?? 'add network-policy to --addons'
  return {
    parts: Object.fromEntries([
      ...parts,
      ...(unenforced ? [['policy-notice', { reason: `nobody enforces it: ${why}` }]] : []),
    ]),
    notices: [
      ...faults.map(({ name, fault }) => `[addons] Without ${name}: ${fault}`),
      ...(isPartial ? ['[addons] NetworkPolicies are enforced on the first node alone, for the Pods on it'] : []),
    ],
  }
}

/** Programs that addons asked for by name run, and that --install may bring. */
export function addonPrograms(flags: AddonFlags): string[] {
  return asks(flags, 'network-policy') ? ['nft'] : []
}

function asks({ addons = '' }: AddonFlags, name: AddonName): boolean {
  return addons.split(',').includes(name)
}

/** A range for each family that has both Pods and Services; what Pods and Services have is not in the routes yet. */
function balancerSettings({ config, host }: Machine): JsonObject {
  const settings = ruleSettings(config)
  const taken = settings
    .flatMap(({ podSubnet, serviceSubnet }) => [podSubnet, serviceSubnet])
    .map(parseSubnet)
    .filter(range => range !== undefined)
  const ranges = settings.map(({ family }) => freeRange(family, host, taken)).filter(range => range !== undefined)
  return { ranges: ranges.map(formatSubnet) }
}
