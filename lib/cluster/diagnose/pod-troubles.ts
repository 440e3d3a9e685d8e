/** Which troubles of a Pod do not pass by waiting, static or not: one row each, the first that fits counts. */

import { maskSecrets } from '../../base/secrets.ts'
import { shorten } from './log-lines.ts'

/** What a Pod waits for. */
export type Trouble = 'sandbox' | 'image' | 'container' | 'crash'

interface Ending {
  readonly trouble: Trouble
  readonly text: RegExp
  /** How long it may be so without a break. */
  readonly afterMs: number
}

export const ENDINGS: readonly Ending[] = [
  // A file that is not there will not come by itself.
  {
    trouble: 'sandbox',
    text: /failed to find plugin|exec format error|exec: .*: (?:not found|no such file)/,
    afterMs: 3_000,
  },
  // The kubelet asks again after ten seconds and more.
  { trouble: 'sandbox', text: /./, afterMs: 20_000 },
  {
    trouble: 'image',
    text: /not found|manifest unknown|no match for platform|invalid reference|InvalidImageName|ErrImageNeverPull|unauthorized|denied|forbidden/i,
    afterMs: 15_000,
  },
  // A registry may be busy.
  { trouble: 'image', text: /./, afterMs: 60_000 },
  { trouble: 'container', text: /./, afterMs: 30_000 },
  { trouble: 'crash', text: /./, afterMs: 0 },
]

/** When a trouble is for good, as a Finding has it. */
export function endingOf(trouble: Trouble, text: string): { readonly kind: string; readonly finalAfterMs: number } {
  const row = ENDINGS.findIndex(ending => ending.trouble === trouble && ending.text.test(text))
  return { kind: `${trouble} ${row}`, finalAfterMs: ENDINGS[row]?.afterMs ?? Number.POSITIVE_INFINITY }
}

/** What a runtime says when it makes no Pod, without who passed it on. */
export function refusalText(text: string): string {
  const reason = text
    .replace(/^Failed to create pod sandbox: /, '')
    .replace(/^rpc error: code = \w+ desc = /, '')
    .replaceAll(/(sandbox) "[0-9a-f]{64}"/g, '$1')
  return shorten(maskSecrets(reason))
}
