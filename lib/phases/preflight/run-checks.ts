/** All checks at once, over one reading of the host. */

import { KUBERNETES, LAYOUT } from '../../base/paths.ts'
import type { Host, HostQuestions } from '../../machine/host/host.ts'
import { candidatesOf } from '../../supply/runtime/runtime-choice.ts'
import { type Check, checkName, isOfRelease, type Status, type Wanted } from './check.ts'
import { CHECKS } from './checks.ts'
import { clusterPorts, identityFiles, manifestFiles } from './file-checks.ts'
import { spaceFolders } from './machine-checks.ts'
import { etcdFiles } from './version-checks.ts'

/** One thing that a check says. */
export interface Row {
  readonly name: string
  readonly status: Status
  /** An error that was to be ignored: its status is warning. */
  readonly ignored?: true
  readonly found: string
  readonly why: string
  readonly fix?: string
}

/** What has to be read of a host for a cluster. */
export function questionsOf(wanted: Wanted, versions: boolean): HostQuestions {
  const { config, runtime } = wanted
  const dataDir = config.cluster.etcd.local?.dataDir
  return {
    ports: clusterPorts(config).map(({ port }) => port),
    files: [...manifestFiles(config), ...identityFiles(config), ...etcdFiles(wanted), LAYOUT.ready, LAYOUT.journal],
    folders: [KUBERNETES.manifests, ...(dataDir === undefined ? [] : [dataDir])],
    spaces: spaceFolders(wanted),
    sockets: candidatesOf(runtime, []).sockets,
    versions,
  }
}

/** The verdicts of every check that applies; `ignored` as ignoredNames gives it. */
export function runChecks(host: Host, wanted: Wanted, ignored: ReadonlySet<string>): Row[] {
  return CHECKS.filter(check => check.subjects !== undefined || isOfRelease(check, wanted)).flatMap(check =>
    (check.subjects?.(wanted) ?? ['']).flatMap(subject => rowsOf(check, subject, host, wanted, ignored)),
  )
}

function rowsOf(check: Check, subject: string, host: Host, wanted: Wanted, ignored: ReadonlySet<string>): Row[] {
  const name = checkName(check, subject)
  const said = check.look(host, wanted, subject) ?? []
  const verdicts = 'status' in said ? [said] : said
  const isIgnored = ignored.has('all') || ignored.has(name.toLowerCase())
  return verdicts.map(({ status, found, fix }) => ({
    name,
    ...(status === 'error' && isIgnored ? { status: 'warning', ignored: true } : { status }),
    found,
    why: check.why,
    ...(fix !== undefined && { fix }),
  }))
}
