/** Runs the parts of the agent that this machine's cluster needs, until it is told to end. */
import { existsSync } from 'node:fs'
import { KubestepError, reasonOf } from '../../base/errors.ts'
import { KUBERNETES, LAYOUT } from '../../base/paths.ts'
import { type Api, openApi } from '../../cluster/api/api-client.ts'
import { readCredentials } from '../../cluster/api/kubeconfig-credentials.ts'
import { readFile } from '../../machine/files.ts'
import { AGENT_PARTS } from './agent-parts.ts'
import { readAgentSettings } from './agent-service.ts'

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
        part.run(context).catch((error: unknown) => {
          throw new KubestepError(`agent: cannot run part "${part.name}": ${reasonOf(error)}`, { cause: error })
        }),
      ]
    }),
  )
}

function openWith(kubeconfig: string): Api {
  const text = readFile('/', kubeconfig)
  if (text === undefined) throw new KubestepError(`agent: cannot read "${kubeconfig}": it is not there yet`)
  return openApi(readCredentials(text, kubeconfig, path => readFile('/', path)))
}
