/** The container runtime that a cluster uses: one that serves CRI already, or a containerd of our own. */

import { KubestepError } from '../../base/errors.ts'
import { isObject, type JsonObject } from '../../base/json.ts'
import { NODE } from '../../base/paths.ts'
import { type MachineFacts, readMachineFacts } from '../../machine/host/machine.ts'
import { type Cri, openCri } from '../cri/cri-client.ts'
import { CriError, UNIMPLEMENTED } from '../cri/grpc.ts'
import { candidatesOf, isTaken } from './runtime-choice.ts'

export interface Runtime {
  readonly cri: Cri
  /** Whether it is the private one. */
  readonly ours: boolean
  readonly name: string
  readonly version: string
  /** The image it makes sandboxes from; undefined when it does not say. */
  readonly pauseImage?: string
  /** undefined when it does not tell (CRI RuntimeConfig came with containerd 2.0 and CRI-O 1.28). */
  readonly cgroupDriver?: 'systemd' | 'cgroupfs'
  /** Whether it gives containers no lower OOM score than its own; undefined when it does not tell. */
  readonly restrictsOomScore?: boolean
  /** Where it looks for CNI configurations and plugins. */
  readonly cni: { readonly confDir: string; readonly binDirs: readonly string[] }
}

/** Where CNI has its things when a runtime does not say. Source: CNI conventions, CRI-O's defaults. */
const CNI_DEFAULTS = { confDir: NODE.cniConf, binDirs: NODE.cniBin.slice(0, 2) }

/** Opens a runtime and asks what it is. Throws a CriError when nothing serves CRI at the socket. */
export async function openRuntime(socket: string, ours: boolean, timeoutMs?: number): Promise<Runtime> {
  const cri = await openCri(socket, timeoutMs)
  const [identity, status, driver] = await Promise.all([
    cri.call('Version', { version: '0.1.0' }),
    cri.call('Status', { verbose: true }),
    askedDriver(cri),
  ])
  const config = readInfo(status)
  const cgroupDriver = driver ?? configuredDriver(config)
  const pauseImage = typeof config.sandboxImage === 'string' ? config.sandboxImage : undefined
  const { restrictOOMScoreAdj: restrictsOomScore } = config
  return {
    cri,
    ours,
    name: String(identity.runtimeName),
    version: String(identity.runtimeVersion),
    ...(pauseImage !== undefined && { pauseImage }),
    ...(cgroupDriver !== undefined && { cgroupDriver }),
    ...(typeof restrictsOomScore === 'boolean' && { restrictsOomScore }),
    cni: cniFolders(config),
  }
}

// containerd puts its CRI configuration, as JSON, into the verbose status.
function readInfo(status: JsonObject): JsonObject {
  const text = ((status.info ?? {}) as JsonObject).config
  try {
    return typeof text === 'string' ? (JSON.parse(text) as JsonObject) : {}
  } catch {
    return {}
  }
}

/**
 * The cgroup driver in containerd's CRI configuration, for versions that cannot be asked; undefined when this is none.
 * Source: containerd pkg/cri/config (1.6, 1.7): SystemdCgroup of the default runtime, false when it is not set.
 */
export function configuredDriver({ containerd }: JsonObject): 'systemd' | 'cgroupfs' | undefined {
  const { defaultRuntimeName, runtimes } = (containerd ?? {}) as JsonObject
  const runtime = isObject(runtimes) ? runtimes[String(defaultRuntimeName)] : undefined
  if (!isObject(runtime)) return undefined
  const { SystemdCgroup } = (runtime.options ?? {}) as JsonObject
  return SystemdCgroup === true ? 'systemd' : 'cgroupfs'
}

function cniFolders(config: JsonObject): Runtime['cni'] {
  const { binDir, binDirs, confDir } = (config.cni ?? {}) as JsonObject
  const folders =
    Array.isArray(binDirs) && binDirs.length > 0 ? binDirs.map(String) : typeof binDir === 'string' ? [binDir] : []
  return {
    confDir: typeof confDir === 'string' && confDir !== '' ? confDir : CNI_DEFAULTS.confDir,
    binDirs: folders.length > 0 ? folders : CNI_DEFAULTS.binDirs,
  }
}

async function askedDriver(cri: Cri): Promise<'systemd' | 'cgroupfs' | undefined> {
  try {
    const { linux } = await cri.call('RuntimeConfig')
    return linux === undefined ? undefined : (linux as JsonObject).cgroupDriver === 0 ? 'systemd' : 'cgroupfs'
  } catch (error) {
    if (error instanceof CriError && error.status === UNIMPLEMENTED) return undefined
    throw error
  }
}

/** What `--runtime` asks for. */
export type RuntimeChoice =
  | { readonly kind: 'private' }
  | { readonly kind: 'socket'; readonly socket: string; readonly runtime: Runtime }

/**
 * Decides which runtime to use. `auto` takes the first known socket that really serves CRI and fits the machine, else a
 * private one. A socket that was asked for, by --runtime, --cri-socket or criSocket, has to work. Throws a KubestepError.
 */
export async function chooseRuntime(
  wanted: string,
  knownSockets: readonly string[],
  machine: Pick<MachineFacts, 'root' | 'mayLowerOomScore'> = readMachineFacts(),
): Promise<RuntimeChoice> {
  const candidates = candidatesOf(wanted, knownSockets)
  for (const socket of candidates.sockets) {
    if (candidates.isNamed) return { kind: 'socket', socket, runtime: await openNamed(socket) }
    try {
      const runtime = await openRuntime(socket, false)
      if (isTaken(runtime, candidates, machine)) return { kind: 'socket', socket, runtime }
      runtime.cri.close()
    } catch (error) {
      // Docker's containerd comes with CRI off, and a socket file may be left from a daemon that is gone.
      if (!(error instanceof KubestepError)) throw error
    }
  }
  return { kind: 'private' }
}

async function openNamed(socket: string): Promise<Runtime> {
  try {
    return await openRuntime(socket, false)
  } catch (error) {
    if (!(error instanceof CriError)) throw error
    throw new KubestepError(
      `${error.message} (--runtime, --cri-socket or nodeRegistration.criSocket asks for this socket; leave that out to have a runtime found)`,
      { cause: error },
    )
  }
}
