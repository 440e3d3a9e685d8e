/** Runs the parts of the agent that this machine's cluster needs, until it is told to end. */
import { KubestepError, reasonOf } from '../../base/errors.ts'
import { KUBERNETES, LAYOUT } from '../../base/paths.ts'
import { type Api, openApi } from '../../cluster/api/api-client.ts'
import { readFile } from '../../machine/files.ts'
import { AGENT_PARTS } from './agent-parts.ts'
import { readAgentSettings } from './agent-service.ts'
import { keptCredentials } from './kept-credentials.ts'
import { waitForServer } from './server-wait.ts'

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
  const kubelet = keptCredentials(KUBERNETES.kubeletConf, path => readFile('/', path))
  const admin = keptCredentials(KUBERNETES.adminConf, path => readFile('/', path))
  const openAdmin = (): Api | undefined => openWith(admin)
  const open = (): Api => {
    const api = openWith(kubelet)
    if (api !== undefined) return api
    throw new KubestepError(`agent: cannot read "${KUBERNETES.kubeletConf}": it is not there yet`)
  }
  const server = waitForServer(() => openAdmin() ?? open(), signal)
  await Promise.all(
    AGENT_PARTS.flatMap(part => {
      const own = parts[part.name]
      if (own === undefined) return []
      const context = {
        node,
        settings: own,
        open,
        openAdmin,
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

function openWith(credentials: ReturnType<typeof keptCredentials>): Api | undefined {
  const found = credentials()
  return found === undefined ? undefined : openApi(found)
}
