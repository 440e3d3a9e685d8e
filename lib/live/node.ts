/** A phase alone on a live host: what the machine and its runtime ask of the configuration. */
import { adaptToMachine } from '../cluster/adapt.ts'
import { socketOf } from '../cluster/live-runtime.ts'
import type { InitConfig } from '../config/types.ts'
import { type MachineFacts, readMachineFacts } from '../host/machine.ts'
import type { Phase } from '../phase.ts'
import { chooseRuntime, openRuntime, type RuntimeChoice } from '../runtime/runtime.ts'
import type { Call } from '../script.ts'

export interface LiveNode {
  /** With the socket of the runtime, and adapted to the machine. */
  readonly config: InitConfig
  readonly machine: MachineFacts
  readonly choice: RuntimeChoice
}

/** Whether a phase changes this very machine, and not a folder that stands for one. */
export function isLive({ dryRun, target }: Pick<Phase, 'dryRun' | 'target'>): boolean {
  return !dryRun && target === '/'
}

/** Chooses the runtime as an init does and adapts the configuration; says what it changes. Throws a KubestepError. */
export async function readLiveNode(phase: Phase, { flags, output }: Call): Promise<LiveNode> {
  const machine = readMachineFacts()
  const choice = await chooseRuntime(flags.runtime ?? phase.namedSocket ?? 'auto', phase.facts.criSockets, machine)
  const driver = choice.kind === 'socket' ? choice.runtime.cgroupDriver : undefined
  const { config, notices } = adapted(phase.config, machine, socketOf(choice), driver)
  for (const notice of notices) output.say(notice)
  return { config, machine, choice }
}

/** The configuration as the kubelet of this machine runs with it, for what is stored in the cluster. */
export async function adaptedConfig({ config }: Phase, socket: string | undefined): Promise<InitConfig> {
  const runtime = socket === undefined ? undefined : await openRuntime(socket, false).catch(() => undefined)
  runtime?.cri.close()
  return adapted(config, readMachineFacts(), socket, runtime?.cgroupDriver).config
}

function adapted(
  config: InitConfig,
  machine: MachineFacts,
  criSocket: string | undefined,
  cgroupDriver: MachineFacts['cgroupDriver'],
): ReturnType<typeof adaptToMachine> {
  const nodeRegistration = { ...config.init.nodeRegistration, ...(criSocket !== undefined && { criSocket }) }
  const withSocket = { ...config, init: { ...config.init, nodeRegistration } }
  return adaptToMachine(withSocket, { ...machine, ...(cgroupDriver !== undefined && { cgroupDriver }) })
}
