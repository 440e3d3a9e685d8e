/** The end of a phase that made cluster objects: a dry run shows them, or writes them where it was told to. */
import { readCredentials } from '../api/credentials.ts'
import { KubestepError } from '../errors.ts'
import type { Phase } from '../phase.ts'
import type { Call } from '../script.ts'
import { type ClusterObject, clusterObjectsYaml } from './cluster-object.ts'
import type { ClusterAccess } from './join-command.ts'

/** Where the objects of a dry run go, below its folder. */
const FILE = '/cluster-objects.yaml'

const ADMIN_CONF = '/etc/kubernetes/admin.conf'

/**
 * Prints the objects, alone on stdout; with --output-dir writes them there and says the messages.
 * Throws a KubestepError when it is no dry run, or cannot write.
 */
export function deliverObjects(
  objects: readonly ClusterObject[],
  messages: readonly string[],
  phase: Phase,
  { name, flags, output }: Call,
): void {
  if (!phase.dryRun) {
    const what = objects.map(object => `${object.resource}/${object.name}`).join(', ')
    throw new KubestepError(
      `${name}: cannot apply ${what}: a phase alone does not talk to a live cluster yet; use --dry-run`,
    )
  }
  const yaml = clusterObjectsYaml(objects)
  if (flags['output-dir'] === undefined) {
    output.result(yaml)
    return
  }
  for (const message of messages) output.say(message)
  // It holds the tokens' secrets.
  phase.write([{ path: FILE, mode: 0o600, content: yaml }])
  output.say(`[dryrun] Wrote ${objects.length} object${objects.length === 1 ? '' : 's'} to "${phase.target}${FILE}"`)
}

/** Server and CA of the cluster, from admin.conf. Throws a KubestepError when there is none, or it is damaged. */
export function adminAccess({ read }: Phase, { name, flags }: Call): ClusterAccess {
  const file = flags.kubeconfig ?? ADMIN_CONF
  const text = read(file)
  if (text === undefined) {
    throw new KubestepError(`${name}: cannot read "${file}": it does not exist; make it with the kubeconfig script`)
  }
  const { server, ca } = readCredentials(text, file, read)
  return { server, caCertificate: ca }
}
