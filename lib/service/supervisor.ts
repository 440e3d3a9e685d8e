/**
 * Where no init system runs: a shell loop per service that starts it again when it ends. It survives the
 * script, keeps its log, and ends when told to. A shell, because it has to live as long as the cluster and so
 * should weigh nothing.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { quote, run, startDetached } from '../command.ts'
import { readTextOrEmpty, removeFiles, writeFiles } from '../files.ts'
import { processesInGroup, processesWith } from '../host/processes.ts'
import type { Service, ServiceManager } from './service.ts'

export interface SupervisorFolders {
  /** Scripts of the loops. */
  readonly scripts: string
  /** Pid files; gone after a reboot. */
  readonly run: string
  readonly logs: string
}

/** How long a service may take to end before it is killed. */
const STOP_LIMIT_MS = 20_000

export function supervisor(folders: SupervisorFolders): ServiceManager {
  const script = (name: string): string => `${folders.scripts}/${name}.sh`
  const pidFile = (name: string): string => `${folders.run}/${name}.pid`
  const logFile = (name: string): string => `${folders.logs}/${name}.log`
  const endsFile = (name: string): string => `${folders.run}/${name}.ends`
  const files: ServiceManager['files'] = service => [
    { path: script(service.name), mode: 0o755, content: loop(service, logFile(service.name), endsFile(service.name)) },
  ]
  const stop = async (name: string): Promise<void> => {
    // A loop that was killed leaves its service; one whose starter was killed has no pid file yet.
    const recorded = recordedGroup(pidFile(name))
    const unrecorded = processesWith(['/bin/sh', script(name)])
    for (const pid of new Set([...recorded, ...unrecorded])) await end(pid)
    removeFiles('/', [pidFile(name), endsFile(name)])
  }
  const launch = (name: string): void => {
    const pid = startDetached(['/bin/sh', script(name)], logFile(name))
    writeFiles('/', [{ path: pidFile(name), mode: 0o644, content: `${pid} ${startTime(pid) ?? ''}\n` }])
  }
  return {
    kind: 'supervisor',
    files,
    start: async service => {
      await stop(service.name)
      writeFiles('/', [
        ...files(service),
        { path: logFile(service.name), mode: 0o600, content: previousLog(logFile(service.name)) },
      ])
      launch(service.name)
    },
    restart: async name => {
      if (!existsSync(script(name))) return false
      await stop(name)
      launch(name)
      return true
    },
    stop,
    remove: async name => {
      await stop(name)
      removeFiles('/', [script(name)])
    },
    isRunning: async name => runningPid(pidFile(name)) !== undefined,
    restarts: async name => readTextOrEmpty(endsFile(name)).split('\n').length - 1,
    log: async (name, lines) => (await run(['tail', '-n', String(lines), logFile(name)])).stdout,
  }
}

/** The loop as a script of its own; `endsFile` gets a line for each end. TERM ends the service and then the loop. */
export function loop({ name, about, command, restartDelayMs }: Service, logFile: string, endsFile: string): string {
  return `#!/bin/sh
# kubestep keeps this running: ${about}. Stop it with kubestep's reset.
ended= child=
trap 'ended=1; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null' TERM INT
while [ -z "$ended" ]; do
  ${command.map(quote).join(' ')} &
  child=$!
  # A signal interrupts the wait, so wait until it is really gone.
  while kill -0 "$child" 2>/dev/null; do wait "$child"; status=$?; done
  [ -z "$ended" ] || break
  echo "kubestep: ${name} ended with status $status; starting it again" >>${quote(logFile)}
  echo "$status" >>${quote(endsFile)}
  sleep ${restartDelayMs / 1000}
done
`
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

/** When a process started, in clock ticks since boot (field 22 of /proc/PID/stat); undefined when it is gone. */
export function startTime(pid: number): string | undefined {
  // The second field is the command in brackets and may hold anything, so count from its end.
  const fields = readTextOrEmpty(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ')
  return fields === undefined || fields.length < 20 || fields[0] === 'Z' ? undefined : fields[19]
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
  // The loop tells its service; without the loop the service has to be told.
  signal(startTime(pid) === undefined ? -pid : pid, 'SIGTERM')
  for (let waited = 0; waited < STOP_LIMIT_MS; waited += 50) {
    if (processesInGroup(pid).length === 0) return
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
