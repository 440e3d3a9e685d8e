/**
 * The programs of a node of this machine: links to those that the machine has itself. A node that copied them, since a
 * link leads to no other mount, would have two hundred megabytes of its own on the disk and in memory.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { KubestepError } from '../../base/errors.ts'
import { LAYOUT } from '../../base/paths.ts'
import { scriptCommand } from '../../cli/invocation.ts'
import { writeFiles } from '../../machine/files.ts'
import { stateOfNode } from '../../machine/local-node/local-node.ts'
import type { Binaries } from '../run/binaries.ts'
import { keepFile } from '../run/kept-program.ts'

/** Keeps what starts nodes when the machine boots: the checkout may be gone by then. Throws a KubestepError. */
export function keepNodeProgram(): void {
  const script = scriptCommand('node').at(-1) ?? ''
  const bundle = script.endsWith('.mts') ? join(dirname(script), '../dist/node.mjs') : script
  if (!existsSync(bundle))
    throw new KubestepError(`node: cannot find "${bundle}": the sources are not built; run npm run build`)
  writeFiles('/', [{ path: LAYOUT.nodeProgram, mode: 0o644, content: readFileSync(bundle) }])
}

/** Puts them where it will have them, where the kubelet may be another than the machine's own. Throws a Reason. */
export function givePrograms(
  node: string,
  { kubelet, kubectl, cniBinDir }: Pick<Binaries, 'kubelet' | 'kubectl' | 'cniBinDir'>,
): void {
  const give = (path: string, source: string): string => keepFile(stateOfNode(node, path), source)
  give(join(LAYOUT.binaries, 'kubelet'), kubelet)
  if (kubectl !== undefined) give(join(LAYOUT.binaries, 'kubectl'), kubectl)
  writeFiles('/', [
    { path: stateOfNode(node, LAYOUT.nodeProgram), mode: 0o644, content: readFileSync(LAYOUT.nodeProgram) },
  ])
  // Those of the machine's packages are seen by all.
  if (cniBinDir !== LAYOUT.cni.bin || !existsSync(LAYOUT.cni.bin)) return
  for (const plugin of readdirSync(LAYOUT.cni.bin)) {
    const path = join(LAYOUT.cni.bin, plugin)
    give(path, path)
  }
}
