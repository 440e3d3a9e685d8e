/** Installing packages with the machine's own manager. */

import { KubestepError } from '../../base/errors.ts'
import { $ } from '../../machine/command.ts'
import { readFile, removeFiles, writeFiles } from '../../machine/files.ts'
import { type ManagerName, PACKAGE_MANAGERS, type PackageManager } from '../../machine/host/host-packages.ts'
import type { PreparedChange } from '../../machine/host-change.ts'
import { runManager } from '../../machine/package-manager-run.ts'

/** Where Debian asks whether a package may start its service. Source: Debian policy 9.3.3, deb-systemd-invoke(1p). */
const POLICY = '/usr/sbin/policy-rc.d'

/** 101: forbidden. */
const REFUSAL =
  '#!/bin/sh\n# Written by kubestep while it installs packages: none of them is to start a service.\nexit 101\n'

/** The policy as a change: it goes when we are killed before we take it away, and stays when somebody has changed it. */
const FORBIDDING = { kind: 'written', path: POLICY, before: null, after: REFUSAL, mode: 0o755, folder: false } as const

/**
 * Installs packages; lists of packages are made fresh first where the manager does not do that by itself. None is taken
 * away for them. A service that comes along (containerd's on Debian) is not started: a cluster has a containerd of its
 * own, and one of Docker's must not be disturbed. `record` gets each change before it is made.
 * Throws a KubestepError with the manager's last line.
 */
export async function installPackages(
  phase: string,
  managerName: ManagerName,
  names: readonly string[],
  record: (change: PreparedChange) => void,
): Promise<void> {
  const what = `${phase}: cannot install ${names.join(' ')}`
  const manager = PACKAGE_MANAGERS.find(({ name }) => name === managerName)
  if (manager === undefined) throw new KubestepError(`${what}: no ${managerName} here`)
  const { environment, refresh, install } = manager
  // One that is there decides by itself, unless it is what a killed run of ours left.
  const isOurs = managerName === 'apt' && (readFile('/', POLICY) ?? REFUSAL) === REFUSAL
  if (isOurs) record(FORBIDDING)
  record({ kind: 'packages', manager: managerName, names })
  if (isOurs) writeFiles('/', [{ path: POLICY, mode: FORBIDDING.mode, content: REFUSAL }])
  try {
    if (refresh !== undefined) await runManager(what, refresh, environment)
    if (!manager.trial?.refuses) await refuseRemovals(what, manager, names)
    await runManager(what, [...install, ...names], environment).catch(async (error: unknown) => {
      if (manager.trial?.refuses) await refuseRemovals(what, manager, names)
      throw error
    })
  } finally {
    if (isOurs) removeFiles('/', [POLICY])
  }
}

/** Throws a KubestepError that names what would be taken away. */
async function refuseRemovals(what: string, manager: PackageManager, names: readonly string[]): Promise<void> {
  const { environment, trial } = manager
  if (trial === undefined) return
  const { stdout } = await $({ nothrow: true, ...(environment && { env: environment }) })`${trial.command} ${names}`
  const lost = [...stdout.matchAll(trial.removal)].map(([, name = '']) => name)
  if (lost.length === 0) return
  throw new KubestepError(
    `${what}: ${manager.name} would take away ${lost.join(', ')}, which somebody may need; install by hand what fits beside it, or name a runtime that is there with --runtime`,
  )
}
