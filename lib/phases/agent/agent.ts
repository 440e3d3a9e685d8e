/** Runs the parts of the agent that this machine's cluster needs, until it is told to end. */
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { KubestepError, reasonOf } from '../../base/errors.ts'
import { KUBERNETES, LAYOUT } from '../../base/paths.ts'
import { type Api, openApi } from '../../cluster/api/api-client.ts'
import { readCredentials } from '../../cluster/api/kubeconfig-credentials.ts'
import { readFile } from '../../machine/files.ts'
import { listens } from '../../machine/network/listens.ts'
import { AGENT_PARTS } from './agent-parts.ts'
import { readAgentSettings } from './agent-service.ts'

const KNOCK_MS = 100

/** Ends when every part has; a part that fails ends all, and the service manager starts the agent again. */
export async function runAgent(
  say: (line: string) => void,
  signal: AbortSignal,
  file: string = LAYOUT.agent,
): Promise<void> {
  const settings = readAgentSettings(file)
  if (settings === undefined) {
    throw new KubestepError(`agent: cannot find "${file}": nothing is set up for it; init and join start it`)
  }
  const { node, parts } = settings
  const server = waitForServer(signal)
  await Promise.all(
    AGENT_PARTS.flatMap(part => {
      const own = parts[part.name]
      if (own === undefined) return []
      const context = {
        node,
        settings: own,
        open: () => openWith(KUBERNETES.kubeletConf),
        openAdmin: () => (existsSync(KUBERNETES.adminConf) ? openWith(KUBERNETES.adminConf) : undefined),
        say: (line: string) => say(`[${part.name}] ${line}`),
        signal,
      }
      return [
        (part.isFirst ? part.run(context) : server.then(() => part.run(context))).catch((error: unknown) => {
          throw new KubestepError(`agent: cannot run part "${part.name}": ${reasonOf(error)}`, { cause: error })
        }),
      ]
    }),
  )
}

/** One knocks for all: each by itself would find it late, after ever longer pauses. */
async function waitForServer(signal: AbortSignal): Promise<void> {
  let server: string | undefined
  while (!signal.aborted) {
    server ??= serverOf(KUBERNETES.adminConf) ?? serverOf(KUBERNETES.kubeletConf)
    if (server !== undefined && (await listens(server))) return
    await sleep(KNOCK_MS, undefined, { signal }).catch(() => {})
  }
}

function serverOf(kubeconfig: string): string | undefined {
  try {
    const text = readFile('/', kubeconfig)
    return text === undefined ? undefined : readCredentials(text, kubeconfig, path => readFile('/', path)).server
  } catch {
    // A kubelet that joins has no certificate yet.
    return undefined
  }
}

function openWith(kubeconfig: string): Api {
  const text = readFile('/', kubeconfig)
  if (text === undefined) throw new KubestepError(`agent: cannot read "${kubeconfig}": it is not there yet`)
  return openApi(readCredentials(text, kubeconfig, path => readFile('/', path)))
}
