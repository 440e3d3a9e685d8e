/** Services as systemd units. */
import { basename, dirname, join } from 'node:path'
import { $ } from '../command.ts'
import {
  listFolder,
  makeOwnFolder,
  readTextOrEmpty,
  removeFiles,
  removeFolder,
  writeFiles,
  writeLink,
} from '../files.ts'
import { liveHost } from '../host/host-source.ts'
import { MARK, OWN_FOLDER, readUnitFiles, UNIT_FOLDERS, type UnitFiles } from '../host/unit-files.ts'
import type { ServiceManager } from './service.ts'
import { matters } from './unit-overrides.ts'
import { dropIn, type FormerState, formerState, unit } from './unit-text.ts'

export interface UnitFolders {
  /** Where we write. */
  readonly own: string
  /** Where systemd looks, in its order. */
  readonly all: readonly string[]
}

/**
 * systemd, when it is PID 1. A unit of that name that packages or others have made (a kubelet of kubeadm's packages
 * has one, with settings beside it that would win over a unit of ours) stays as it is, and gets a drop-in that is read
 * last. A unit of ours takes the place of none, or of one that is masked; what a removed package left beside it is
 * outdone by such a drop-in, too. What was there before stands in the second line of what we write, for `remove`.
 */
export function systemd({ own, all }: UnitFolders = { own: OWN_FOLDER, all: UNIT_FOLDERS }): ServiceManager {
  const host = liveHost()
  const unitFile = (name: string): string => `${own}/${name}.service`
  const dropInFolder = (name: string): string => `${own}/${name}.service.d`
  const ourFiles = (name: string): string[] => {
    const dropIns = (listFolder('/', dropInFolder(name)) ?? []).map(file => join(dropInFolder(name), file))
    return [unitFile(name), ...dropIns].filter(path => readTextOrEmpty(path).startsWith(MARK))
  }
  const systemctl = async (...args: readonly string[]): Promise<void> => {
    await $({ what: `service: cannot ${args.join(' ')}` })`systemctl ${args}`
  }
  const says = async (question: string, name: string): Promise<boolean> =>
    (await $({ nothrow: true })`systemctl ${question} --quiet ${name}.service`).exitCode === 0
  /** Whether it knows of none of that name: neither is there one, nor was there before somebody took its file away. */
  const isUnknown = async (name: string): Promise<boolean> =>
    (await $({ nothrow: true })`systemctl show --property=LoadState --value ${name}.service`).stdout.trim() ===
    'not-found'
  const stop = async (name: string): Promise<void> => {
    await $({ nothrow: true })`systemctl stop ${name}.service`
  }
  const stateOf = async (name: string): Promise<FormerState> => {
    const file = `${name}.service`
    const mask = host.link(unitFile(name)) ?? (host.read(unitFile(name))?.trim() === '' ? '' : undefined)
    const folders = (host.list(own) ?? []).filter(folder => /\.(wants|requires)$/.test(folder))
    const links = folders.flatMap(folder => {
      const target = host.link(`${own}/${folder}/${file}`)
      return target === undefined ? [] : [[`${own}/${folder}/${file}`, target] as const]
    })
    const { stdout } = await $({ nothrow: true })`systemctl is-active ${file}`
    return {
      enabled: await says('is-enabled', name),
      // One that ends and is started again was meant to run, too.
      active: ['active', 'activating', 'reloading'].includes(stdout.trim()),
      ...(mask !== undefined && { mask }),
      links,
    }
  }
  const prepare: ServiceManager['prepare'] = async service => {
    const { name } = service
    const theirs = readUnitFiles(host, name, own, all)
    const earlier = ourFiles(name)
    const before = formerState(earlier.map(readTextOrEmpty)) ?? (await stateOf(name))
    const isNew = await isUnknown(name)
    const others = [...(theirs.unit === undefined ? [] : [theirs.unit]), ...theirs.dropIns.filter(matters)]
    const files = [
      ...(theirs.unit === undefined ? [{ path: unitFile(name), content: unit(service, before) }] : []),
      ...(others.length === 0
        ? []
        : [{ path: join(dropInFolder(name), lastName(theirs)), content: dropIn(service, before, others) }]),
    ]
    writeFiles(
      '/',
      files.map(file => ({ ...file, mode: 0o644 })),
    )
    removeFiles(
      '/',
      earlier.filter(path => !files.some(file => file.path === path)),
    )
    const restart = (): Promise<void> => systemctl('restart', `${name}.service`)
    // It reads all units anew, as daemon-reload does. Source: systemctl(1), enable.
    const enable = (): Promise<void> => systemctl('enable', '--quiet', `${name}.service`)
    if (!isNew) {
      await enable()
      return restart
    }
    // It reads that one when it is asked for it, and not all units of a machine that has better things to do.
    await systemctl('enable', '--no-reload', '--quiet', `${name}.service`)
    return () => restart().catch(() => enable().then(restart))
  }
  return {
    kind: 'systemd',
    files: service => [{ path: unitFile(service.name), mode: 0o644, content: unit(service) }],
    prepare,
    start: async service => (await prepare(service))(),
    restart: async name => {
      if ((await $({ nothrow: true })`systemctl cat ${name}.service`).exitCode !== 0) return false
      await systemctl('restart', `${name}.service`)
      return true
    },
    stop,
    remove: async name => {
      const ours = ourFiles(name)
      const before = formerState(ours.map(readTextOrEmpty))
      const { unit: theirs } = readUnitFiles(host, name, own, all)
      if (ours.length === 0 && theirs !== undefined) return
      await stop(name)
      if (ours.includes(unitFile(name)) || before?.enabled === false) {
        await $({ nothrow: true })`systemctl disable --quiet ${name}.service`
      }
      removeFiles('/', ours)
      removeFolder('/', dropInFolder(name))
      if (before?.mask === '') writeFiles('/', [{ path: unitFile(name), mode: 0o644, content: '' }])
      else if (before?.mask !== undefined) writeLink('/', unitFile(name), before.mask)
      for (const [path, target] of before?.links ?? []) {
        if (host.link(path) !== undefined) continue
        makeOwnFolder('/', dirname(path), 0o755)
        writeLink('/', path, target)
      }
      await $({ nothrow: true })`systemctl daemon-reload`
      await $({ nothrow: true })`systemctl reset-failed ${name}.service`
      if (before?.active) await $({ nothrow: true })`systemctl start --no-block ${name}.service`
    },
    isRunning: name => says('is-active', name),
    restarts: async name =>
      Number((await $({ nothrow: true })`systemctl show --property=NRestarts --value ${name}.service`).stdout) || 0,
    log: async (name, lines) =>
      (await $({ nothrow: true })`journalctl --no-pager -o cat -n ${lines} -u ${name}.service`).stdout,
  }
}

/** A name that is read after all others: they are read in the order of their names. Source: systemd.unit(5). */
function lastName({ dropIns }: UnitFiles): string {
  const name = '99-kubestep.conf'
  const last = basename(dropIns.at(-1)?.path ?? '')
  return name > last ? name : `${last.replace(/\.conf$/, '')}~kubestep.conf`
}
