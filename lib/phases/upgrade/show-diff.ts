/** `upgrade diff`, and `apply` and `node` with --dry-run: everything that would change, before anything does. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { stringify } from '../../base/yaml.ts'
import type { Call } from '../../cli/script.ts'
import { clusterObjectsYaml } from '../../kubeadm/objects/cluster-object.ts'
import { openTree } from '../../machine/dry-run-tree.ts'
import { unifiedDiff } from '../prepare/diff.ts'
import { planUpgrade } from './begin-upgrade.ts'
import { isChanged, sayEdits } from './planned-files.ts'
import { type PlannedObject, plain, plannedObjects } from './planned-objects.ts'
import { checkUpgrade } from './upgrade-checks.ts'
import { readOutlook } from './upgrade-outlook.ts'
import type { UpgradeRequest } from './upgrade-request.ts'

/** Prints the differences. Throws a KubestepError, a ConfigError and an ApiError. */
export async function showDiff(call: Call, asked: UpgradeRequest): Promise<void> {
  const { output } = call
  const outlook = await readOutlook(call)
  try {
    const { plan, files, request } = await planUpgrade(call, asked, outlook)
    const objects = plan.isControlPlane ? await plannedObjects(outlook.api, plan, request.steps) : []
    const texts = [
      ...files.map(({ path, before, content }) => ({ path, before: before ?? null, after: content })),
      ...objects.map(objectTexts),
    ]
    for (const { path, before, after } of texts) {
      for (const line of unifiedDiff(path, before, after, request.contextLines)) output.result(`${line}\n`)
    }
    sayEdits(files, output.say)
    sayEdits(
      objects.map(({ resource, name, edits }) => ({ path: `${resource}/${name}`, edits })),
      output.say,
    )
  } finally {
    outlook.api.close()
  }
}

function objectTexts({ resource, name, namespace, before, after }: PlannedObject): {
  readonly path: string
  readonly before: string | null
  readonly after: string
} {
  return {
    path: [namespace, resource, name].filter(part => part !== '').join('/'),
    before: before === undefined ? null : stringify(plain(before)),
    after: stringify(plain(after)),
  }
}

/** Where a dry run's folder is; kubeadm honours the variable too, and empties the folder. */
function folderOf({ flags }: Call): string {
  const given = flags['output-dir'] ?? process.env.KUBEADM_UPGRADE_DRYRUN_DIR
  return given ? resolve(given) : mkdtempSync(join(tmpdir(), 'kubestep-dry-run-'))
}

/** Writes what `apply` and `node` would write into a folder, and says what they would do. Throws like showDiff. */
export async function dryRun(call: Call, asked: UpgradeRequest): Promise<void> {
  const { output } = call
  const outlook = await readOutlook(call)
  try {
    const { plan, files, request } = await planUpgrade(call, asked, outlook)
    if (request.steps.includes('preflight')) await checkUpgrade(outlook, plan, request, output.warn)
    const objects = plan.isControlPlane ? await plannedObjects(outlook.api, plan, request.steps) : []
    sayEdits(files, output.say)
    sayEdits(
      objects.map(({ resource, name, edits }) => ({ path: `${resource}/${name}`, edits })),
      output.say,
    )
    const tree = openTree(folderOf(call), { command: `upgrade ${request.command}`, whole: true })
    const list = { path: '/cluster-objects.yaml', mode: 0o600, content: clusterObjectsYaml(objects) }
    tree.write([
      ...files.map(({ path, mode, content }) => ({ path, mode, content })),
      ...(objects.length > 0 ? [list] : []),
    ])
    const changed = files.filter(isChanged)
    for (const { component } of changed)
      if (component !== undefined) output.say(`[dryrun] Would replace the static Pod of ${component}`)
    if (changed.some(({ component }) => component === undefined))
      output.say("[dryrun] Would write the kubelet's configuration and start it again")
    if (objects.length > 0) output.say(`[dryrun] Would apply ${objects.length} objects`)
    output.say(`[dryrun] Wrote ${files.length + (objects.length > 0 ? 1 : 0)} files below "${tree.folder}"`)
    output.say('[dryrun] Finished dryrunning successfully!')
  } finally {
    outlook.api.close()
  }
}
