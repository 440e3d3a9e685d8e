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
import { proxyModeOf } from '../../machine/network/proxy-mode.ts'
import { ruleSettings } from '../run/kernel-settings.ts'

type AddonFlags = Pick<Flags, 'addons' | 'profile' | 'cni' | 'install'>

export interface AddonPlan {
  /** With what each is set up with; the parts of the agent that do them have their names. */
  readonly addons: Readonly<Partial<Record<AddonName, JsonObject>>>
  /** Those, and what else the agent does; without any there is no agent. */
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

const NO_NFT = 'there is no nft on this machine; install nftables'

const ROWS: Readonly<Record<AddonName, Row>> = {
  storage: { settings: () => ({}) },
  'load-balancer': { settings: balancerSettings },
  'network-policy': {
    fault: ({ flags, host }) =>
      !wantsNetwork(flags.cni)
        ? 'the Pod network is somebody else’s, and so are its rules'
        : hasProgram(host, 'nft') || (flags.install && asks(flags, 'network-policy'))
          ? undefined
          : NO_NFT,
    settings: ({ config }) => ({
      podSubnets: ruleSettings(config).map(({ podSubnet }) => podSubnet),
      ...(proxyModeOf(config)?.name === 'ipvs' && { ipvs: true }),
    }),
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
  const addons: AddonPlan['addons'] = Object.fromEntries(
    rows.filter(({ fault }) => fault === undefined).map(({ name }) => [name, ROWS[name].settings(machine)]),
  )
  const unenforced = Object.keys(addons).length > 0 && wantsNetwork(flags.cni) && addons['network-policy'] === undefined
  const why = faults.find(({ name }) => name === 'network-policy')?.fault ?? 'add network-policy to --addons'
  return {
    addons,
    parts: { ...addons, ...(unenforced && { 'policy-notice': { reason: `nobody enforces it: ${why}` } }) },
    notices: faults.map(({ name, fault }) => `[addons] Without ${name}: ${fault}`),
  }
}

/** What a machine that joins does of the addons that a cluster has. */
export function nodeAddons(addons: AddonPlan['addons'], node: string, host: HostSource): AddonPlan['parts'] {
  const { 'network-policy': policies, ...others } = addons
  if (policies === undefined || hasProgram(host, 'nft')) return addons
  return { ...others, 'policy-notice': { reason: `nobody enforces it on node ${node}: ${NO_NFT}` } }
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
