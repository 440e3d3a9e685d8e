/** CNI plugins for somebody else's runtime: it looks in folders of its own, and they may lack what our Pod network needs. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { CNI_PROGRAMS } from '../../machine/host/cni-plugins.ts'
import type { Change } from '../../machine/journal.ts'
import type { Runtime } from '../../supply/runtime/runtime.ts'
import { keepFile } from './kept-program.ts'
import { sharedFolder } from './planned-changes.ts'

export interface PluginGap {
  /** The first folder that the runtime looks in. */
  readonly folder: string
  /** What none of its folders has. */
  readonly names: readonly string[]
}

/** Plugins that a runtime would not find; undefined when it finds all. */
export function pluginGap({ cni: { binDirs } }: Pick<Runtime, 'cni'>): PluginGap | undefined {
  const names = CNI_PROGRAMS.filter(name => !binDirs.some(folder => existsSync(join(folder, name))))
  const [folder] = binDirs
  return folder === undefined || names.length === 0 ? undefined : { folder, names }
}

/** What filling it will change. */
export function gapChanges({ folder, names }: PluginGap): Change[] {
  return sharedFolder(folder, `^(${names.join('|')})(\\.tmp)?$`)
}

/** Puts the plugins there that `source` has. Throws a KubestepError. */
export function fillGap({ folder, names }: PluginGap, source: string): void {
  for (const name of names.filter(name => existsSync(join(source, name)))) {
    keepFile(join(folder, name), join(source, name))
  }
}
