/**
 * The agent as a service: one small process on a machine whose cluster has something to watch, and none elsewhere. It
 * is started again when it ends, and reads what it is to do in one file.
 */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { KubestepError } from '../../base/errors.ts'
import type { JsonObject } from '../../base/json.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { LAYOUT } from '../../base/paths.ts'
import { readTextOrEmpty, writeFiles } from '../../machine/files.ts'
import type { Change } from '../../machine/journal.ts'
import { isLocalNode } from '../../machine/local-node/local-node.ts'
import { runtimeCommand } from '../../machine/service/runtime-command.ts'
import { AGENT, BALANCER, type Service, type ServiceManager } from '../../machine/service/service.ts'
import { type ApiBalancerSettings, apiBalancer } from './api-balancer.ts'
import { type PortForward, portForwards } from './port-forwards.ts'

export interface AgentSettings {
  readonly node: string
  /** By the names of parts; a part that is not in here does not run. */
  readonly parts: Readonly<Record<string, JsonObject>>
}

/** What is written down before it is started. */
export const AGENT_CHANGE: Change = { kind: 'service', name: AGENT }
export const BALANCER_CHANGE: Change = { kind: 'service', name: BALANCER }

const PROGRAM = `${LAYOUT.services}/agent.mjs`

/**
 * It holds a few objects and mostly waits: a larger young generation would lie idle, and so would compiled code. Of its
 * own it has 14 MB with Node 20 and 20 with Node 24 in place of 19 and 25, for 0.03 s of processor more on Node 24 at its
 * start, and 0.05 s less on Node 20. The rest, 33 to 42 MB, is read from Node's file. Without threads that collect
 * garbage (--single-threaded) it would have twice as much with 3000 Pods.
 */
const LEAN: readonly string[] = ['--max-semi-space-size=1', '--max-old-space-size=64', '--jitless']

export function readAgentSettings(file: string = LAYOUT.agent): AgentSettings | undefined {
  const text = readTextOrEmpty(file)
  return text === '' ? undefined : (JSON.parse(text) as AgentSettings)
}

/**
 * Has the agent do these parts, besides those that it does already. A node in a world of its own needs none: that of its
 * machine does it. Throws a KubestepError.
 */
export async function startAgent(services: ServiceManager, { node, parts }: AgentSettings): Promise<void> {
  if (isLocalNode()) return
  await start(services, { node, parts: { ...readAgentSettings()?.parts, ...parts } }, LAYOUT.agent, {
    name: AGENT,
    about: 'what a kubestep cluster keeps right on this machine',
    restartDelayMs: 1000,
    after: ['kubelet'],
  })
}

/**
 * Has a process of its own stand before several API servers, and before nodes whose ports are ports of this machine:
 * whatever befalls the other parts, it goes on. Throws the same.
 */
export async function startBalancer(
  services: ServiceManager,
  { balancerPort: port, init }: InitConfig,
  forwards: readonly PortForward[],
): Promise<void> {
  const { advertiseAddress: first, bindPort: serverPort } = init.localAPIEndpoint
  const balancer: ApiBalancerSettings | undefined = port === undefined ? undefined : { port, first, serverPort }
  const parts: AgentSettings['parts'] = {
    ...(balancer !== undefined && { [apiBalancer.name]: { ...balancer } }),
    ...(forwards.length > 0 && { [portForwards.name]: { forwards: forwards.map(one => ({ ...one })) } }),
  }
  if (Object.keys(parts).length === 0) return
  await start(services, { node: init.nodeRegistration.name, parts }, LAYOUT.apiBalancer, {
    name: BALANCER,
    about: 'what stands before the nodes of a kubestep cluster on this machine',
    restartDelayMs: 100,
  })
}

async function start(
  services: ServiceManager,
  settings: AgentSettings,
  file: string,
  service: Omit<Service, 'command'>,
): Promise<void> {
  writeFiles('/', [
    { path: PROGRAM, mode: 0o644, content: agentText() },
    { path: file, mode: 0o600, content: `${JSON.stringify(settings, null, 2)}\n` },
  ])
  const command = runtimeCommand(PROGRAM, LEAN)
  await services.start({ ...service, command: [...command, file] })
}

// The build puts the text of the agent's bundle here; from the sources it is taken where the build left it.
declare const AGENT_TEXT: string | undefined

function agentText(): string {
  if (typeof AGENT_TEXT === 'string') return AGENT_TEXT
  const bundle = fileURLToPath(new URL('../../../dist/agent.mjs', import.meta.url))
  if (!existsSync(bundle)) {
    throw new KubestepError(`agent: cannot find "${bundle}": the sources are not built; run npm run build`)
  }
  return readFileSync(bundle, 'utf8')
}
