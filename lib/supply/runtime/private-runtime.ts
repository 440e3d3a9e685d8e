/** A containerd of our own, from the binaries on the machine: nothing shared with Docker's or a packaged one. */
import { setTimeout as sleep } from 'node:timers/promises'
import { KubestepError, reasonOf } from '../../base/errors.ts'
import type { EnvVar } from '../../base/kubeadm.ts'
import { LAYOUT } from '../../base/paths.ts'
import { $, which } from '../../machine/command.ts'
import { writeFiles } from '../../machine/files.ts'
import { proxyEnvironment } from '../../machine/host/read-facts.ts'
import type { ServiceManager } from '../../machine/service/service.ts'
import { containerdConfig } from './containerd-config.ts'
import { openRuntime, type Runtime } from './runtime.ts'

/** Name of the service. */
export const PRIVATE_RUNTIME = 'kubestep-containerd'

export interface PrivateRuntimeSettings {
  readonly pauseImage: string
  readonly cgroupDriver: 'systemd' | 'cgroupfs'
  readonly restrictOomScore: boolean
  readonly cniBinDir: string
  readonly cniConfDir: string
  readonly registryConfig?: string
}

/** Programs that a private runtime is made of, and the packages that carry them. */
export const RUNTIME_PROGRAMS: readonly (readonly [program: string, packageName: string])[] = [
  ['containerd', 'containerd'],
  ['ctr', 'containerd'],
  ['runc', 'runc'],
]

/** Which of them are not on this machine, and how to have them; undefined when all are. */
export function missingPrograms(): string | undefined {
  const missing = RUNTIME_PROGRAMS.filter(([program]) => which(program) === undefined)
  if (missing.length === 0) return undefined
  const packages = [...new Set(missing.map(([, packageName]) => packageName))].join(' and ')
  return `runtime: cannot start containerd: ${missing.map(([program]) => program).join(', ')} not found; install ${packages}, use --install, or name a CRI socket with --runtime`
}

/** What `containerd --version` says; empty when it says nothing. */
export async function askContainerd(): Promise<string> {
  return (await $({ nothrow: true })`containerd --version`).stdout
}

/** How long containerd may take to open its socket; it takes well below a second. */
const START_LIMIT_MS = 20_000

/**
 * Writes the configuration and gets the service ready; gives what starts it and waits until it serves CRI, which may be
 * called again. Both throw a KubestepError that names missing programs, or holds the last lines of containerd's log.
 */
export async function preparePrivateRuntime(
  services: ServiceManager,
  settings: PrivateRuntimeSettings,
): Promise<() => Promise<Runtime>> {
  const fault = missingPrograms()
  if (fault !== undefined) throw new KubestepError(fault)
  const [containerd = 'containerd', runc = 'runc'] = [which('containerd'), which('runc')]
  const { config, proxies, root, state, socket } = LAYOUT.containerd
  const text = containerdConfig({
    ...settings,
    root,
    state,
    socket,
    runc,
  })
  const variables = proxyVariables(proxyEnvironment(process.env))
  // It pulls as this process fetches; an address may hold a password.
  writeFiles('/', [
    { path: config, mode: 0o644, content: text },
    { path: proxies, mode: 0o600, content: variables },
  ])
  const start = await services.prepare({
    name: PRIVATE_RUNTIME,
    about: 'container runtime of the kubestep cluster',
    command: [containerd, '--config', config],
    environmentFile: proxies,
    restartDelayMs: 1000,
  })
  return async () => {
    await start()
    return waitForRuntime(services, `unix://${socket}`)
  }
}

/** Variables as systemd's EnvironmentFile= takes them literally. Source: systemd.exec(5). */
export function proxyVariables(variables: readonly EnvVar[]): string {
  return variables
    .filter(({ value = '' }) => !value.includes('\n'))
    .map(({ name, value = '' }) => `${name}="${value.replaceAll(/["\\`$]/g, '\\$&')}"\n`)
    .join('')
}

async function waitForRuntime(services: ServiceManager, socket: string): Promise<Runtime> {
  const end = performance.now() + START_LIMIT_MS
  for (;;) {
    try {
      return await openRuntime(socket, true)
    } catch (error) {
      if (performance.now() > end) {
        const log = await services.log(PRIVATE_RUNTIME, 5)
        throw new KubestepError(`runtime: cannot start containerd: ${reasonOf(error)}; its last lines are:\n${log}`, {
          cause: error,
        })
      }
    }
    await sleep(30)
  }
}
