/**
 * The programs of a node of this machine: links to those that the machine has itself. A node that copied them, since a
 * link leads to no other mount, would have two hundred megabytes of its own on the disk and in memory.
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { LAYOUT } from '../../base/paths.ts'
import { stateOfNode } from '../../machine/local-node/local-node.ts'
import type { Binaries } from '../run/binaries.ts'
import { keepFile } from '../run/kept-program.ts'

/** Puts them where it will have them, where the kubelet may be another than the machine's own. Throws a Reason. */
export function givePrograms(
  node: string,
  { kubelet, kubectl, cniBinDir }: Pick<Binaries, 'kubelet' | 'kubectl' | 'cniBinDir'>,
): void {
  const give = (path: string, source: string): string => keepFile(stateOfNode(node, path), source)
  give(join(LAYOUT.binaries, 'kubelet'), kubelet)
  if (kubectl !== undefined) give(join(LAYOUT.binaries, 'kubectl'), kubectl)
  // Those of the machine's packages are seen by all.
  if (cniBinDir !== LAYOUT.cni.bin || !existsSync(LAYOUT.cni.bin)) return
  for (const plugin of readdirSync(LAYOUT.cni.bin)) {
    const path = join(LAYOUT.cni.bin, plugin)
    give(path, path)
  }
}
