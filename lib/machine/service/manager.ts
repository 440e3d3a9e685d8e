/** Which service manager this machine has. */
import { existsSync } from 'node:fs'
import { LAYOUT } from '../../base/paths.ts'
import type { ServiceManager } from './service.ts'
import { supervisor } from './supervisor.ts'
import { systemd } from './systemd.ts'

/** systemd where it is PID 1 (sd_booted(3): this folder exists), otherwise our supervisor. */
export function serviceManager(): ServiceManager {
  if (existsSync('/run/systemd/system')) return systemd()
  return supervisor({ scripts: LAYOUT.services, run: LAYOUT.run, logs: LAYOUT.logs })
}
