/** The parts of a log bundle: one row each. */
import { $ } from '../../machine/command.ts'
import { KUBELET } from '../../machine/service/kubelet-service.ts'
import { AGENT, BALANCER } from '../../machine/service/service.ts'
import type { Cri } from '../../supply/cri/cri-client.ts'
import { openCri } from '../../supply/cri/cri-client.ts'
import type { MethodName } from '../../supply/cri/messages.ts'
import { PRIVATE_RUNTIME } from '../../supply/runtime/private-runtime.ts'
import { API_PARTS, apiText, withoutSecrets } from './api-objects.ts'
import type { DiagnosisContext } from './diagnosis-context.ts'
import { hostText } from './host-part.ts'
import { certificateText, configurationFiles, podLogs, stateFiles } from './kept-files.ts'
import { MACHINE_PARTS } from './machine-facts.ts'

export interface Collected {
  /** Path within the bundle. */
  readonly name: string
  /** Not yet masked; nothing is written when it is empty. */
  readonly text: string
}

export interface Collector {
  readonly about: string
  /** Throws when it is not to be had. */
  readonly collect: (context: DiagnosisContext) => Promise<readonly Collected[]>
}

/** Lines of each service's log. */
const LOG_LINES = 20_000

/** Services whose logs are wanted where they run: ours, and runtimes that were there before. */
const SERVICES: readonly string[] = [
  KUBELET,
  PRIVATE_RUNTIME,
  AGENT,
  BALANCER,
  'containerd',
  'crio',
  'docker',
  'cri-docker',
]

/** What the runtime is asked. */
const RUNTIME_PARTS: readonly MethodName[] = ['Version', 'Status', 'ListPodSandbox', 'ListContainers', 'ListImages']

export const COLLECTORS: readonly Collector[] = [
  ...SERVICES.map(
    (name): Collector => ({
      about: `log of ${name}`,
      collect: async ({ services }) => [{ name: `services/${name}.log`, text: await services.log(name, LOG_LINES) }],
    }),
  ),
  {
    about: 'state of the services',
    collect: async ({ services }) => {
      const states = [KUBELET, PRIVATE_RUNTIME, AGENT, BALANCER].map(
        async name =>
          `${name}: ${(await services.isRunning(name)) ? 'runs' : 'does not run'}, restarts: ${await services.restarts(name)}\n`,
      )
      return [{ name: 'services/state.txt', text: (await Promise.all(states)).join('') }]
    },
  },
  { about: 'logs of containers', collect: async () => podLogs() },
  ...RUNTIME_PARTS.map(
    (method): Collector => ({
      about: `runtime: ${method}`,
      collect: async ({ cri }) => [{ name: `runtime/${method}.json`, text: await ask(cri?.socket, method) }],
    }),
  ),
  ...API_PARTS.map(
    ({ name, path }): Collector => ({
      about: `API server: ${name}`,
      collect: async ({ api }) => [{ name: `api/${name}`, text: await apiText(api, path) }],
    }),
  ),
  { about: 'configuration files', collect: async () => configurationFiles() },
  { about: 'certificates', collect: async () => [{ name: 'kubernetes/certificates.txt', text: certificateText() }] },
  { about: 'journal and readiness', collect: async () => stateFiles() },
  {
    about: 'machine: what preflight goes by',
    collect: async () => [{ name: 'machine/host.json', text: await hostText() }],
  },
  ...MACHINE_PARTS.map(
    ({ name, read, commands = [], lastLines }): Collector => ({
      about: `machine: ${name}`,
      collect: async () => [
        {
          name: `machine/${name}.txt`,
          text: `${read?.() ?? ''}${(await Promise.all(commands.map(command => outputOf(command, lastLines)))).join('')}`,
        },
      ],
    }),
  ),
]

async function ask(socket: string | undefined, method: MethodName): Promise<string> {
  if (socket === undefined) throw new Error('no runtime is known')
  const cri: Cri = await openCri(socket)
  try {
    return `${JSON.stringify(withoutSecrets(await cri.call(method)), null, 2)}\n`
  } finally {
    cri.close()
  }
}

/** What a command says, under the command itself. */
async function outputOf(command: readonly string[], lastLines?: number): Promise<string> {
  const { stdout, stderr, exitCode } = await $({ nothrow: true, timeout: 10_000 })`${command}`
  const lines = stdout.trimEnd().split('\n')
  const shown =
    lastLines === undefined || lines.length <= lastLines ? stdout : `${lines.slice(-lastLines).join('\n')}\n`
  return `$ ${command.join(' ')}\n${exitCode === 0 ? shown : `${shown}${stderr.trim()} (status ${exitCode})\n`}\n`
}
