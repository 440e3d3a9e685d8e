/** A phase alone on a live host: what the machine and its runtime ask of the configuration. */

import { KubestepError } from '../../base/errors.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import type { Flags } from '../../cli/options.ts'
import type { Call } from '../../cli/script.ts'
import { liveHost } from '../../machine/host/host-source.ts'
import { type MachineFacts, readMachineFacts } from '../../machine/host/machine.ts'
import { chooseRuntime, openRuntime, type RuntimeChoice } from '../../supply/runtime/runtime.ts'
import { candidatesOf, wantedRuntime } from '../../supply/runtime/runtime-choice.ts'
import { socketOf } from './live-runtime.ts'
import { adaptToMachine } from './machine-adaptations.ts'
import { nodeAddress } from './node-address.ts'
import type { OpenedPhase } from './open-phase.ts'

export interface LiveNode {
  /** With the socket of the runtime, and adapted to the machine. */
  readonly config: InitConfig
  readonly machine: MachineFacts
  readonly choice: RuntimeChoice
}

/** Whether a phase changes this very machine, and not a folder that stands for one. */
export function isLive({ dryRun, target }: Pick<OpenedPhase, 'dryRun' | 'target'>): boolean {
  return !dryRun && target === '/'
}

/** Chooses the runtime as an init does and adapts the configuration; says what it changes. Throws a KubestepError. */
export async function readLiveNode(phase: OpenedPhase, { flags, output }: Call): Promise<LiveNode> {
  const machine = readMachineFacts()
  const choice = await chooseRuntime(wantedRuntime(flags.runtime, phase.namedSocket), phase.facts.criSockets, machine)
  const driver = choice.kind === 'socket' ? choice.runtime.cgroupDriver : undefined
  const { config, notices } = adapted(phase, machine, socketOf(choice), driver)
  for (const notice of notices) output.say(notice)
  return { config, machine, choice }
}

export interface ForeseenNode {
  /** What a real run would do about it, a line each. */
  readonly notices: readonly string[]
  readonly socket: string
  readonly runtime: 'ours' | 'theirs'
  /** Why there is no such runtime here. */
  readonly fault?: string
}

/** The same for a dry run, which changes nothing and needs no rights: what can be seen without. */
export async function foreseeNode(phase: OpenedPhase, flags: Pick<Flags, 'runtime'>): Promise<ForeseenNode> {
  const machine = readMachineFacts()
  const wanted = wantedRuntime(flags.runtime, phase.namedSocket)
  const [guessed] = candidatesOf(wanted, phase.facts.criSockets).sockets
  if (!machine.root && guessed !== undefined) {
    return { ...adapted(phase, machine, guessed, undefined), socket: guessed, runtime: 'theirs' }
  }
  const [choice] = await Promise.allSettled([chooseRuntime(wanted, phase.facts.criSockets)])
  if (choice.status === 'rejected') {
    if (!(choice.reason instanceof KubestepError)) throw choice.reason
    const notices = adapted(phase, machine, guessed, undefined).notices
    return { notices, socket: wanted, runtime: 'theirs', fault: choice.reason.message }
  }
  const { value } = choice
  const driver = value.kind === 'socket' ? value.runtime.cgroupDriver : undefined
  if (value.kind === 'socket') value.runtime.cri.close()
  const socket = socketOf(value)
  return {
    notices: adapted(phase, machine, socket, driver).notices,
    socket,
    runtime: value.kind === 'socket' ? 'theirs' : 'ours',
  }
}

/** The configuration as the kubelet of this machine runs with it, for what is stored in the cluster. */
export async function adaptedConfig(phase: OpenedPhase, socket: string | undefined): Promise<InitConfig> {
  const runtime = socket === undefined ? undefined : await openRuntime(socket, false).catch(() => undefined)
  runtime?.cri.close()
  return adapted(phase, readMachineFacts(), socket, runtime?.cgroupDriver).config
}

function adapted(
  { config, facts }: OpenedPhase,
  machine: MachineFacts,
  criSocket: string | undefined,
  cgroupDriver: MachineFacts['cgroupDriver'],
): ReturnType<typeof adaptToMachine> {
  const nodeRegistration = { ...config.init.nodeRegistration, ...(criSocket !== undefined && { criSocket }) }
  const withSocket = { ...config, init: { ...config.init, nodeRegistration } }
  const host = liveHost()
  const address = nodeAddress(withSocket, {
    addresses: host.addresses().map(one => one.address),
    defaultAddress: facts.defaultAddress,
    hostsFile: host.read('/etc/hosts') ?? '',
  })
  return adaptToMachine(withSocket, { ...machine, ...(cgroupDriver !== undefined && { cgroupDriver }) }, address)
}
