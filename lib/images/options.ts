/** Options of what lists images and of what pulls them, for `images` and for kubeadm's `config images`. */
import { FETCH_OPTIONS } from '../components/fetching.ts'
import type { OptionName } from '../options.ts'

/** What decides about images. */
export const LIST_OPTIONS: readonly OptionName[] = [
  'config',
  'kubernetes-version',
  'kubeadm-version',
  'image-repository',
  'feature-gates',
  // For names of versions, which are looked up.
  ...FETCH_OPTIONS,
]

export const PULL_OPTIONS: readonly OptionName[] = [...LIST_OPTIONS, 'cri-socket', 'output-dir', 'arch', 'timeout']
