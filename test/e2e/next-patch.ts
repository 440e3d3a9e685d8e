/** The next patch release of a target: the same build under its number, see next-patch.sh. */
import { join } from 'node:path'
import { succeeded } from './attempt.ts'
import { here, run } from './programs.ts'
import type { Target } from './targets.ts'
import { temporaryFolder } from './temporary.ts'

export interface Next {
  readonly version: string
  readonly artifacts: string
}

/** Makes it. Throws where it cannot be made. */
export async function nextPatch({ version, artifacts }: Target): Promise<Next> {
  const [, series = '', patch = ''] = /^(v\d+\.\d+\.)(\d+)$/.exec(version) ?? []
  const next = `${series}${Number(patch) + 1}`
  const folder = join(temporaryFolder(), next)
  succeeded(await run(['bash', here('next-patch.sh'), artifacts, folder, version, next]))
  return { version: next, artifacts: folder }
}
