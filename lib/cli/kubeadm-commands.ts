/**
 * kubeadm's commands and flags, and what takes their place here: the documents' table walks this, and a test holds it
 * against the list that kubeadm itself gives. Source: kubeadm --help of every command (v1.36).
 */

interface CommandRow {
  /** As kubeadm has it; a star stands for all that follows. */
  readonly kubeadm: string
  /** Script and sub-command; a star stands for the same words. */
  readonly here?: string
  /** Where there is none: why, and what to do. */
  readonly why?: string
}

/** The first row that fits counts. */
export const KUBEADM_COMMANDS: readonly CommandRow[] = [
  { kubeadm: 'init phase *', here: '*' },
  { kubeadm: 'init', here: 'init' },
  { kubeadm: 'reset phase *', why: 'its parts are of use in one order alone; `reset --skip-phases` leaves some out' },
  { kubeadm: 'reset', here: 'reset' },
  { kubeadm: 'token *', here: 'token *' },
  { kubeadm: 'config *', here: 'config *' },
  { kubeadm: 'join *', here: 'join *' },
  { kubeadm: 'join', here: 'join' },
  { kubeadm: 'upgrade *', here: 'upgrade *' },
  { kubeadm: 'certs *', here: 'certs *' },
  { kubeadm: 'kubeconfig user', here: 'kubeconfig user' },
  { kubeadm: 'completion', why: 'a command is a file, whose name the shell completes; `--help` has its options' },
  { kubeadm: 'help', why: '`--help` stands behind any command' },
  { kubeadm: 'alpha', why: 'kubeadm 1.36 has no command in it' },
  { kubeadm: 'version', why: 'the version of a cluster is that of its kubelet; `--kubernetes-version` chooses it' },
]

export interface FlagRow {
  readonly flag: string
  /** Commands of kubeadm's, as in the rows above. */
  readonly commands: readonly string[]
  readonly why: string
}

/** Flags that are taken and change nothing. */
export const INERT_FLAGS: readonly FlagRow[] = [
  { flag: '--force', commands: ['reset'], why: 'nothing is asked' },
  { flag: '--kubeconfig', commands: ['reset'], why: 'a cluster of one node has no other etcd member to tell' },
  {
    flag: '--cert-dir',
    commands: ['reset'],
    why: 'the record says where certificates lie; another folder stays, and it is said',
  },
  {
    flag: '--cri-socket',
    commands: ['reset'],
    why: 'the record says which runtime it was; another one is left alone, and it is said',
  },
  { flag: '--cleanup-tmp-dir', commands: ['reset'], why: '`/etc/kubernetes/tmp` goes with what was recorded' },
  {
    flag: '--ignore-preflight-errors',
    commands: ['reset'],
    why: 'the one check is for root, without which nothing can be done',
  },
  { flag: '--kubeconfig', commands: ['config *'], why: 'none of them asks a cluster' },
  { flag: '--kubeconfig', commands: ['token generate'], why: 'the cluster does not learn of the token' },
  { flag: '--dry-run', commands: ['token generate', 'token list', 'init phase preflight'], why: 'they change nothing' },
  { flag: '--yes', commands: ['upgrade apply', 'upgrade apply phase preflight'], why: 'nothing is asked' },
  { flag: '--allow-experimental-api', commands: ['config *'], why: 'there is no experimental API version' },
  {
    flag: '--allow-missing-template-keys',
    commands: ['token list', 'config images list', 'certs check-expiration', 'upgrade plan'],
    why: 'there is no output by templates',
  },
  {
    flag: '--show-managed-fields',
    commands: ['token list', 'config images list', 'certs check-expiration', 'upgrade plan'],
    why: 'these objects have none',
  },
]

/** Flags of every command that are not taken. */
export const REFUSED_FLAGS: readonly FlagRow[] = [
  { flag: '--rootfs', commands: ['*'], why: '`--root` names the folder that files are below; nothing runs in it' },
  { flag: '--vmodule', commands: ['*'], why: 'it sets the logging of single Go files; `--verbose` says more' },
]

/** Whether a command is meant by a pattern with a star at its end, or by a name. */
export function fits(pattern: string, kubeadm: string): boolean {
  return pattern.endsWith('*') ? kubeadm.startsWith(pattern.slice(0, -1)) : kubeadm === pattern
}
