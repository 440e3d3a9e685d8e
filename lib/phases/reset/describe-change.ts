/** Changes in words, for --dry-run, --verbose and errors: what undoing one does. */
import type { Change } from '../../machine/journal.ts'
import { settingName } from '../../machine/running-settings.ts'

/** E.g. `remove the folder "/var/lib/etcd"`. */
export function describe(change: Change): string {
  switch (change.kind) {
    case 'file':
      return `${change.before === null ? 'remove' : 'restore'} the file "${change.path}"`
    case 'tree':
      return `remove the folder "${change.path}"`
    case 'contents':
      return `remove what ${change.only === undefined ? 'has come into' : 'the cluster made in'} the folder "${change.path}"`
    case 'empty':
      return `remove the folder "${change.path}" if nothing is in it`
    case 'service':
      return `stop and remove the service "${change.name}"`
    case 'sysctl':
      return `set sysctl "${change.key}" to ${change.before} again`
    case 'module':
      return `unload the kernel module "${change.name}"`
    case 'mount':
      return `unmount "${change.path}"`
    case 'runtime':
      return `stop and remove the Pods of the runtime at "${change.socket}"`
    case 'image':
      return `take the name "${change.name}" from the image "${change.of}" in the runtime at "${change.socket}"`
    case 'init':
      return 'forget the init'
    case 'written':
      return `${change.before === null ? 'remove' : 'restore'} the file "${change.path}"`
    case 'lines':
      return `take lines in "${change.path}" back`
    case 'link':
      return `${change.before === null ? 'remove' : 'restore'} the link "${change.path}"`
    case 'setting':
      return `set ${settingName(change)} to ${change.before} again`
    case 'packages':
      return `leave the packages ${change.names.join(', ')} installed`
    case 'nodes':
      return 'end the further nodes on this machine'
    case 'network':
      return 'remove network interfaces and firewall rules of the cluster'
  }
}
