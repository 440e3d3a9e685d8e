/** Services as systemd units. */
import { mustRun, run } from '../command.ts'
import { removeFiles, writeFiles } from '../files.ts'
import type { Service, ServiceManager } from './service.ts'

const UNITS = '/etc/systemd/system'

/** systemd, when it is PID 1. */
export function systemd(): ServiceManager {
  const files: ServiceManager['files'] = service => [
    { path: `${UNITS}/${service.name}.service`, mode: 0o644, content: unit(service) },
  ]
  const systemctl = (...args: readonly string[]): Promise<string> =>
    mustRun(`service: cannot ${args.join(' ')}`, ['systemctl', ...args])
  return {
    kind: 'systemd',
    files,
    start: async service => {
      writeFiles('/', files(service))
      await systemctl('daemon-reload')
      await systemctl('enable', '--quiet', `${service.name}.service`)
      await systemctl('restart', `${service.name}.service`)
    },
    restart: async name => {
      if ((await run(['systemctl', 'cat', `${name}.service`])).exitCode !== 0) return false
      await systemctl('restart', `${name}.service`)
      return true
    },
    stop: async name => {
      await run(['systemctl', 'stop', `${name}.service`])
    },
    remove: async name => {
      await run(['systemctl', 'disable', '--now', '--quiet', `${name}.service`])
      removeFiles('/', [`${UNITS}/${name}.service`])
      await run(['systemctl', 'daemon-reload'])
      await run(['systemctl', 'reset-failed', `${name}.service`])
    },
    isRunning: async name => (await run(['systemctl', 'is-active', '--quiet', `${name}.service`])).exitCode === 0,
    restarts: async name =>
      Number((await run(['systemctl', 'show', '--property=NRestarts', '--value', `${name}.service`])).stdout) || 0,
    log: async (name, lines) =>
      (await run(['journalctl', '--no-pager', '-o', 'cat', '-n', String(lines), '-u', `${name}.service`])).stdout,
  }
}

/** The text of a unit. Containers live on when the service ends (KillMode), as in containerd's and kubelet's own units. */
export function unit({ about, command, restartDelayMs }: Service): string {
  return `# Written by kubestep; removed by its reset.
[Unit]
Description=${about}
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart=${command.map(quoteWord).join(' ')}
Restart=always
RestartSec=${restartDelayMs}ms
KillMode=process
Delegate=yes
LimitNOFILE=1048576
TasksMax=infinity
OOMScoreAdjust=-999

[Install]
WantedBy=multi-user.target
`
}

// systemd.service(5): double quotes group, % and $ and backslash are special.
function quoteWord(word: string): string {
  const literal = word.replaceAll('\\', '\\\\').replaceAll('%', '%%').replaceAll('$', '$$$$').replaceAll('"', '\\"')
  return /^[\w@%+=:,./\\$-]+$/.test(literal) ? literal : `"${literal}"`
}
