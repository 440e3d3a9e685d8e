/** The text of systemd units: a service as a unit of our own, or as a drop-in for somebody else's. */
import { MARK, type UnitText } from '../host/unit-files.ts'
import type { Service } from './service.ts'
import { resetLines } from './unit-overrides.ts'

/** How everything was before we came. */
export interface FormerState {
  readonly enabled: boolean
  readonly active: boolean
  /** Where the unit's name was a link to; empty for an empty file. */
  readonly mask?: string
  /** Links that enabled it: path and target. */
  readonly links: readonly (readonly [path: string, target: string])[]
}

const NOTHING: FormerState = { enabled: false, active: false, links: [] }

/**
 * The text of a unit. Containers live on when the service ends (KillMode) and have control groups of their own
 * (Delegate), as with containerd's own unit. Source: containerd.service (1.6 to 2.1), kubelet.service of kubeadm's packages.
 */
export function unit(service: Service, before: FormerState = NOTHING): string {
  return `${MARK}
${stateLine(before)}
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

/** A drop-in that makes a unit run our command, whatever others say in theirs. */
export function dropIn(service: Service, before: FormerState, others: readonly UnitText[]): string {
  return `${MARK}
${stateLine(before)}
[Unit]
${[unitLines(service), ...resetLines(others, 'Unit')].join('\n')}

[Service]
${resetLines(others, 'Service').join('\n')}
Type=simple
User=root
ExecStart=
${startLines(service)}
${serviceLines(service)}
`
}

function stateLine(before: FormerState): string {
  return `# Before: ${JSON.stringify(before)}`
}

/** What such files say of how it was; undefined when none is ours. */
export function formerState(texts: readonly string[]): FormerState | undefined {
  const line = texts.map(text => /^# Before: (\{.*\})$/m.exec(text)?.[1]).find(found => found !== undefined)
  return line === undefined ? undefined : (JSON.parse(line) as FormerState)
}

function unitLines({ after = [] }: Service): string {
  // Not wanted: that would start the target, and it would stay. A kubelet without a network ends and is started again.
  const units = ['network-online.target', ...after.map(name => `${name}.service`)]
  return `After=${units.join(' ')}\nStartLimitIntervalSec=0`
}

function startLines({ command, moreArguments, environmentFile }: Service): string {
  const words = [...command.map(quoteWord), ...(moreArguments === undefined ? [] : [`$${moreArguments.variable}`])]
  return [
    ...(environmentFile === undefined ? [] : [`EnvironmentFile=-${environmentFile}`]),
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
