/**
 * Where no init system runs: a loop per service (supervise.mjs) that starts it again when it ends. It survives the
 * script, keeps its log, and ends when told to.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { $, startDetached, startWaiting } from '../command.ts'
import { readTextOrEmpty, removeFiles, writeFiles } from '../files.ts'
import { processesInGroup, processesWith } from '../host/processes.ts'
import { startTime } from '../host/start-time.ts'
import { runtimeCommand } from './runtime-command.ts'
import type { Service, ServiceManager } from './service.ts'

export interface SupervisorFolders {
  /** The loop, and its settings for each service. */
  readonly scripts: string
  /** Pid files; gone after a reboot. */
  readonly run: string
  readonly logs: string
}

/** How long a service may take to end before it is killed. */
const STOP_LIMIT_MS = 20_000

export function supervisor(folders: SupervisorFolders): ServiceManager {
  const program = `${folders.scripts}/supervise.mjs`
  const settingsFile = (name: string): string => `${folders.scripts}/${name}.json`
  const pidFile = (name: string): string => `${folders.run}/${name}.pid`
  const logFile = (name: string): string => `${folders.logs}/${name}.log`
  const endsFile = (name: string): string => `${folders.run}/${name}.ends`
  const files: ServiceManager['files'] = service => [
    { path: program, mode: 0o644, content: supervisorText() },
    { path: settingsFile(service.name), mode: 0o644, content: settings(service, endsFile(service.name)) },
  ]
  const stop = async (name: string): Promise<void> => {
    // A loop that was killed leaves its service; one whose starter was killed has no pid file yet.
    const recorded = recordedGroup(pidFile(name))
    const unrecorded = processesWith([program, settingsFile(name)])
    for (const pid of new Set([...recorded, ...unrecorded])) await end(pid)
    removeFiles('/', [pidFile(name), endsFile(name)])
  }
  /** Starts the loop; one that `waits` starts its service when it is told. */
  const launch = (name: string, { waits = false } = {}): (() => void) => {
    // What its starter was loaded with is nothing for a program that lives on, and a proxy is for who asks for it:
    // the kubelet would go to its API server through it.
    const environment = Object.fromEntries(
      Object.entries(process.env).filter(([variable]) => !/^NODE_OPTIONS$|_proxy$/i.test(variable)),
    )
    const command = [...runtimeCommand(program), settingsFile(name)]
    const { pid, tell } = waits
      ? startWaiting([...command, 'when-told'], logFile(name), environment)
      : { pid: startDetached(command, logFile(name), environment), tell: () => {} }
    writeFiles('/', [{ path: pidFile(name), mode: 0o644, content: `${pid} ${startTime(pid) ?? ''}\n` }])
    return tell
  }
  const arrange = async (service: Service): Promise<void> => {
    await stop(service.name)
    writeFiles('/', [
      ...files(service),
      { path: logFile(service.name), mode: 0o600, content: previousLog(logFile(service.name)) },
    ])
  }
  const start: ServiceManager['start'] = async service => {
    await arrange(service)
    launch(service.name)
  }
  return {
    kind: 'supervisor',
    files,
    start,
    prepare: async service => {
      await arrange(service)
      // The loop takes as long to load as what it starts.
      const tell = launch(service.name, { waits: true })
      let isTold = false
      return async () => {
        if (isTold) return start(service)
        isTold = true
        tell()
      }
    },
    restart: async name => {
      if (!existsSync(settingsFile(name))) return false
      await stop(name)
      launch(name)
      return true
    },
    stop,
    remove: async name => {
      await stop(name)
      removeFiles('/', [settingsFile(name)])
    },
    isRunning: async name => runningPid(pidFile(name)) !== undefined,
    restarts: async name => readTextOrEmpty(endsFile(name)).split('\n').length - 1,
    log: async (name, lines) => (await $({ nothrow: true })`tail -n ${lines} ${logFile(name)}`).stdout,
  }
}

// The build puts the text of supervise.mjs here: a bundle is one file.
declare const SUPERVISOR: string | undefined

function supervisorText(): string {
  if (typeof SUPERVISOR === 'string') return SUPERVISOR
  return readFileSync(fileURLToPath(new URL('./supervise.mjs', import.meta.url)), 'utf8')
}

/** What the loop goes by; `endsFile` gets a line for each end. */
function settings(service: Service, endsFile: string): string {
  const { name, about, command, moreArguments, environmentFile, restartDelayMs } = service
  return `${JSON.stringify({ name, about, command, moreArguments, environmentFile, restartDelayMs, endsFile }, null, 2)}\n`
}

/** Log of an earlier run, unless it grew large. */
const KEPT_LOG_BYTES = 16 * 1024 * 1024

function previousLog(path: string): Uint8Array | string {
  try {
    return statSync(path).size > KEPT_LOG_BYTES ? '' : readFileSync(path)
  } catch {
    return ''
  }
}

/** The pid in a file, if the process that it was written for still runs: pids are used again, start times are not. */
function runningPid(file: string): number | undefined {
  const [pid, started] = readTextOrEmpty(file).trim().split(' ')
  if (pid === undefined || pid === '') return undefined
  return startTime(Number(pid)) === started ? Number(pid) : undefined
}

/**
 * The pid in a file, if that loop or what it started still runs: as long as a process is left in its group, the
 * number of a group is not given out again.
 */
function recordedGroup(file: string): number[] {
  const pid = Number(readTextOrEmpty(file).split(' ')[0])
  if (pid === 0 || (startTime(pid) !== undefined && runningPid(file) === undefined)) return []
  return processesInGroup(pid).length > 0 ? [pid] : []
}

async function end(pid: number): Promise<void> {
  let told: number | undefined
  for (let waited = 0; waited < STOP_LIMIT_MS; waited += 50) {
    if (processesInGroup(pid).length === 0) return
    // The loop tells its service; without the loop, which may be about to go, the service has to be told.
    const addressee = startTime(pid) === undefined ? -pid : pid
    if (addressee !== told) signal(addressee, 'SIGTERM')
    told = addressee
    await sleep(50)
  }
  // The whole group: the loop and what it runs. Containers have groups of their own.
  signal(-pid, 'SIGKILL')
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It ended by itself.
  }
}
