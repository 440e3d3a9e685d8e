/** Installing packages with the machine's own manager. */
import { mustRun } from '../command.ts'
import { KubestepError } from '../errors.ts'
import { readFile, removeFiles, writeFiles } from '../files.ts'
import { type ManagerName, PACKAGE_MANAGERS } from '../host/packages.ts'

/** A package manager that hangs on a lock or a mirror must not hold up an init for ever. */
const INSTALL_LIMIT_MS = 10 * 60_000

/** Where Debian asks whether a package may start its service. Source: Debian policy 9.3.3, deb-systemd-invoke(1p). */
const POLICY = '/usr/sbin/policy-rc.d'

/** 101: forbidden. */
const REFUSAL =
  '#!/bin/sh\n# Written by kubestep while it installs packages: none of them is to start a service.\nexit 101\n'

/**
 * Installs packages; lists of packages are made fresh first where the manager does not do that by itself. A service
 * that comes along (containerd's on Debian) is not started: a cluster has a containerd of its own, and one of
 * Docker's must not be disturbed. Throws a CommandError with the manager's last line.
 */
export async function installPackages(
  phase: string,
  managerName: ManagerName,
  names: readonly string[],
): Promise<void> {
  const what = `${phase}: cannot install ${names.join(' ')}`
  const manager = PACKAGE_MANAGERS.find(({ name }) => name === managerName)
  if (manager === undefined) throw new KubestepError(`${what}: no ${managerName} here`)
  const { environment, refresh, install } = manager
  const options = { timeoutMs: INSTALL_LIMIT_MS, ...(environment !== undefined && { environment }) }
  // One that is there decides by itself, unless it is what a killed run of ours left.
  const isOurs = managerName === 'apt' && (readFile('/', POLICY) ?? REFUSAL) === REFUSAL
  if (isOurs) writeFiles('/', [{ path: POLICY, mode: 0o755, content: REFUSAL }])
  try {
    if (refresh !== undefined) await mustRun(what, refresh, options)
    await mustRun(what, [...install, ...names], options)
  } finally {
    if (isOurs) removeFiles('/', [POLICY])
  }
}
