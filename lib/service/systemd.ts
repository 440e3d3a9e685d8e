/** Services as systemd units. */
import { existsSync, readdirSync, rmdirSync } from 'node:fs'
import { mustRun, run } from '../command.ts'
import { readTextOrEmpty, removeFiles, writeFiles } from '../files.ts'
import type { Service, ServiceManager } from './service.ts'

export interface UnitFolders {
  /** Where we write. */
  readonly own: string
  /** Where packages and others keep units. */
  readonly others: readonly string[]
}

/** Source: systemd.unit(5), the load path of the system manager. */
const FOLDERS: UnitFolders = {
  own: '/etc/systemd/system',
  others: ['/run/systemd/system', '/usr/local/lib/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'],
}

/** The first words of whatever we write. */
const MARK = '# Written by kubestep; removed by its reset.'

/**
 * systemd, when it is PID 1. A unit of that name that packages or others have made (a kubelet of kubeadm's packages
 * has one, with settings beside it that would win over a unit of ours) stays as it is, and gets a drop-in that is read
 * last; removing the drop-in brings it back to how it was: enabled or not, running or not.
 */
export function systemd({ own, others }: UnitFolders = FOLDERS): ServiceManager {
  const unitFile = (name: string): string => `${own}/${name}.service`
  const dropInFolder = (name: string): string => `${own}/${name}.service.d`
  const dropInFile = (name: string): string => `${dropInFolder(name)}/99-kubestep.conf`
  const isOurs = (path: string): boolean => readTextOrEmpty(path).startsWith(MARK)
  const isTheirs = (name: string): boolean =>
    (existsSync(unitFile(name)) && !isOurs(unitFile(name))) ||
    others.some(folder => existsSync(`${folder}/${name}.service`))
  const systemctl = (...args: readonly string[]): Promise<string> =>
    mustRun(`service: cannot ${args.join(' ')}`, ['systemctl', ...args])
  const says = async (question: string, name: string): Promise<boolean> =>
    (await run(['systemctl', question, '--quiet', `${name}.service`])).exitCode === 0
  const stop = async (name: string): Promise<void> => {
    await run(['systemctl', 'stop', `${name}.service`])
  }
  return {
    kind: 'systemd',
    files: service => [{ path: unitFile(service.name), mode: 0o644, content: unit(service) }],
    start: async service => {
      const { name } = service
      if (!isTheirs(name)) writeFiles('/', [{ path: unitFile(name), mode: 0o644, content: unit(service) }])
      else {
        const before = formerState(readTextOrEmpty(dropInFile(name))) ?? {
          enabled: await says('is-enabled', name),
          active: await says('is-active', name),
        }
        writeFiles('/', [{ path: dropInFile(name), mode: 0o644, content: dropIn(service, before) }])
      }
      await systemctl('daemon-reload')
      await systemctl('enable', '--quiet', `${name}.service`)
      await systemctl('restart', `${name}.service`)
    },
    restart: async name => {
      if ((await run(['systemctl', 'cat', `${name}.service`])).exitCode !== 0) return false
      await systemctl('restart', `${name}.service`)
      return true
    },
    stop,
    remove: async name => {
      const before = formerState(readTextOrEmpty(dropInFile(name)))
      if (before !== undefined) {
        await stop(name)
        removeFiles('/', [dropInFile(name)])
        if (readdirSync(dropInFolder(name)).length === 0) rmdirSync(dropInFolder(name))
        if (!before.enabled) await run(['systemctl', 'disable', '--quiet', `${name}.service`])
      } else {
        if (existsSync(unitFile(name)) && !isOurs(unitFile(name))) return
        await run(['systemctl', 'disable', '--now', '--quiet', `${name}.service`])
        removeFiles('/', [unitFile(name)])
      }
      await run(['systemctl', 'daemon-reload'])
      await run(['systemctl', 'reset-failed', `${name}.service`])
      if (before?.active) await run(['systemctl', 'start', '--no-block', `${name}.service`])
    },
    isRunning: name => says('is-active', name),
    restarts: async name =>
      Number((await run(['systemctl', 'show', '--property=NRestarts', '--value', `${name}.service`])).stdout) || 0,
    log: async (name, lines) =>
      (await run(['journalctl', '--no-pager', '-o', 'cat', '-n', String(lines), '-u', `${name}.service`])).stdout,
  }
}

/** How a unit of somebody else's was before we came. */
export interface FormerState {
  readonly enabled: boolean
  readonly active: boolean
}

/**
 * The text of a unit. Containers live on when the service ends (KillMode) and have control groups of their own
 * (Delegate), as with containerd's own unit. Source: containerd.service (1.6 to 2.1), kubelet.service of kubeadm's packages.
 */
export function unit(service: Service): string {
  return `${MARK}
[Unit]
Description=${service.about}
${unitLines(service)}

[Service]
${startLines(service)}
${serviceLines(service)}

[Install]
WantedBy=multi-user.target
`
}

/** A drop-in that makes somebody else's unit run our command; what it was before stands in its second line. */
export function dropIn(service: Service, { enabled, active }: FormerState): string {
  return `${MARK}
# Before: enabled=${enabled} active=${active}
[Unit]
${unitLines(service)}

[Service]
Type=simple
User=root
ExecStartPre=
EnvironmentFile=
ExecStart=
${startLines(service)}
${serviceLines(service)}
`
}

function formerState(text: string): FormerState | undefined {
  const [, enabled, active] = /^# Before: enabled=(true|false) active=(true|false)$/m.exec(text) ?? []
  return enabled === undefined ? undefined : { enabled: enabled === 'true', active: active === 'true' }
}

function unitLines({ after = [] }: Service): string {
  // Not wanted: that would start the target, and it would stay. A kubelet without a network ends and is started again.
  const units = ['network-online.target', ...after.map(name => `${name}.service`)]
  return `After=${units.join(' ')}\nStartLimitIntervalSec=0`
}

function startLines({ command, moreArguments }: Service): string {
  const words = [...command.map(quoteWord), ...(moreArguments === undefined ? [] : [`$${moreArguments.variable}`])]
  return [
    ...(moreArguments === undefined ? [] : [`EnvironmentFile=-${moreArguments.file}`]),
    `ExecStart=${words.join(' ')}`,
  ].join('\n')
}

function serviceLines({ restartDelayMs }: Service): string {
  return `Restart=always
RestartSec=${restartDelayMs}ms
KillMode=process
Delegate=yes
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
OOMScoreAdjust=-999`
}

/**
 * A word that systemd takes literally: double quotes group; % and $, backslash and quotes are special, and no line may
 * end within it. Source: systemd.service(5), Command lines; systemd.syntax(7), Quoting.
 */
function quoteWord(word: string): string {
  const literal = word
    .replaceAll('\\', '\\\\')
    .replaceAll('%', '%%')
    .replaceAll('$', '$$$$')
    .replaceAll('"', '\\"')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what it is about
    .replaceAll(/[\x01-\x1f\x7f]/g, character => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
  return /^[\w@%+=:,./\\$-]+$/.test(literal) ? literal : `"${literal}"`
}
