/** Programs on a host, by the folders in which root finds them. */
import type { HostSource } from './host-source.ts'

/** Programs that something about a cluster is decided by. */
export const PROGRAMS: readonly string[] = [
  'containerd',
  'runc',
  'ctr',
  'kubelet',
  'crictl',
  'conntrack',
  'ip',
  'iptables',
  'iptables-save',
  'iptables-restore',
  'nft',
  'ipset',
  'ipvsadm',
  'modprobe',
  'mount',
  'nsenter',
  'losetup',
  'cp',
  'ebtables',
  'ethtool',
  'socat',
  'tc',
  'touch',
  'apparmor_parser',
]

const FOLDERS: readonly string[] = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** Full path of a program, looked for along PATH and where root's tools lie; undefined when there is none. */
export function findProgram(source: Pick<HostSource, 'kind' | 'environment'>, name: string): string | undefined {
  const folders = [...(source.environment.PATH ?? '').split(':').filter(folder => folder.startsWith('/')), ...FOLDERS]
  return [...new Set(folders)].map(folder => `${folder}/${name}`).find(path => source.kind(path) === 'file')
}
