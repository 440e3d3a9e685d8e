/** What others may say of a service that would keep ours from working, and what takes it back in a file that is read later. */
import { settingNames, type UnitText } from '../host/unit-files.ts'

type Section = 'Unit' | 'Service'

/** By setting; an empty value forgets a list. Source: systemd.unit(5), systemd.service(5), systemd.exec(5) (v252). */
const RESETS: Readonly<Record<string, readonly [section: Section, value: string]>> = {
  ...inService('', ['ExecCondition', 'ExecStartPre', 'ExecStartPost', 'ExecReload', 'ExecStop', 'ExecStopPost']),
  ...inService('', ['EnvironmentFile', 'PIDFile', 'BusName', 'RestartPreventExitStatus', 'SuccessExitStatus']),
  ...inService('', ['Group', 'SupplementaryGroups', 'WorkingDirectory', 'RootDirectory', 'RootImage', 'MountFlags']),
  ...inService('', [
    'ReadOnlyPaths',
    'ReadOnlyDirectories',
    'InaccessiblePaths',
    'InaccessibleDirectories',
    'ExecPaths',
  ]),
  ...inService('', ['NoExecPaths', 'TemporaryFileSystem', 'BindPaths', 'BindReadOnlyPaths', 'SystemCallFilter']),
  ...inService('', ['RestrictAddressFamilies', 'NetworkNamespacePath', 'IPAddressDeny', 'DeviceAllow', 'PAMName']),
  ...inService('no', ['PrivateTmp', 'PrivateDevices', 'PrivateNetwork', 'PrivateUsers', 'PrivateMounts', 'PrivateIPC']),
  ...inService('no', ['ProtectSystem', 'ProtectHome', 'ProtectKernelTunables', 'ProtectKernelModules', 'ProtectClock']),
  ...inService('no', [
    'ProtectControlGroups',
    'ProtectKernelLogs',
    'ProtectHostname',
    'NoNewPrivileges',
    'DynamicUser',
  ]),
  ...inService('no', [
    'RestrictNamespaces',
    'RestrictSUIDSGID',
    'RestrictRealtime',
    'LockPersonality',
    'RemainAfterExit',
  ]),
  ...inService('no', ['MemoryDenyWriteExecute', 'RootDirectoryStartOnly']),
  ...inService('infinity', ['MemoryMax', 'MemoryHigh', 'MemoryLimit', 'RuntimeMaxSec']),
  // All of them: what follows is left out of all there are.
  CapabilityBoundingSet: ['Service', '~'],
  CPUQuota: ['Service', ''],
  DevicePolicy: ['Service', 'auto'],
  WatchdogSec: ['Service', '0'],
  StandardOutput: ['Service', 'journal'],
  StandardError: ['Service', 'inherit'],
}

/** Conditions of any kind are forgotten together. */
const CONDITIONS: readonly (readonly [pattern: RegExp, reset: string])[] = [
  [/^Condition/, 'ConditionPathExists='],
  [/^Assert/, 'AssertPathExists='],
]

/** What we say ourselves in any case. */
const OURS: readonly string[] = ['ExecStart', 'Type', 'User', 'Restart', 'KillMode', 'Delegate']

function inService(value: string, names: readonly string[]): Record<string, readonly [Section, string]> {
  return Object.fromEntries(names.map(name => [name, ['Service', value] as const]))
}

/** Whether a file says something that matters to a service of ours. */
export function matters({ text }: UnitText): boolean {
  return settingNames(text).some(
    name => OURS.includes(name) || RESETS[name] !== undefined || CONDITIONS.some(([pattern]) => pattern.test(name)),
  )
}

/** The lines that take back what these files say. */
export function resetLines(files: readonly UnitText[], section: Section): string[] {
  const names = new Set(files.flatMap(({ text }) => settingNames(text)))
  const lines = [...names].flatMap(name => (RESETS[name]?.[0] === section ? [`${name}=${RESETS[name]?.[1]}`] : []))
  const conditions = CONDITIONS.filter(([pattern]) => [...names].some(name => pattern.test(name)))
  return section === 'Unit' ? [...lines, ...conditions.map(([, reset]) => reset)] : lines
}
