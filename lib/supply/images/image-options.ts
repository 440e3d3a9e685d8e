/** Options of what lists images and of what pulls them, for `images` and for kubeadm's `config images`. */

import type { OptionName } from '../../cli/options.ts'
import { FETCH_OPTIONS } from '../components/fetch-options.ts'

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

/** Those of kubeadm's that have nothing to say here. */
export const INERT_OPTIONS: readonly OptionName[] = ['kubeconfig', 'allow-missing-template-keys', 'show-managed-fields']

export const PULL_OPTIONS: readonly OptionName[] = [...LIST_OPTIONS, 'cri-socket', 'output-dir', 'arch', 'timeout']
