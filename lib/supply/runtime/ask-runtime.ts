/** A container runtime as it describes itself, for a reading of the host. */
import { reasonOf } from '../../base/errors.ts'
import { COMMAND_TIMEOUT_MS, type RuntimeAnswer } from '../../machine/host/host-source.ts'
import { openRuntime } from './runtime.ts'

/** Asks the runtime at a socket what it is. Never throws. */
export async function askRuntime(socket: string): Promise<RuntimeAnswer> {
  try {
    const { cri, name, version, cgroupDriver, restrictsOomScore, cni } = await openRuntime(
      socket,
      false,
      COMMAND_TIMEOUT_MS,
    )
    cri.close()
    return {
      name,
      version,
      cri: cri.version,
      ...(cgroupDriver !== undefined && { cgroupDriver }),
      ...(restrictsOomScore !== undefined && { restrictsOomScore }),
      cniConfDir: cni.confDir,
    }
  } catch (error) {
    return { fault: reasonOf(error).replace(/^runtime: /, '') }
  }
}
