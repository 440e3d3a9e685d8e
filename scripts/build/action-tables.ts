/** The README's tables of the action: inputs, outputs, and where it refuses to work. */

import { INPUT_ROWS } from '../../lib/action/inputs.ts'
import { OUTPUT_ROWS } from '../../lib/action/outputs.ts'
import { REFUSALS } from '../../lib/action/refusals.ts'
import { table } from './tables.ts'

/** Tables by the name that stands in the README's marker. */
export function actionTables(): Readonly<Record<string, string>> {
  return {
    inputs: table(
      ['input', 'meaning', 'default', 'example'],
      INPUT_ROWS.filter(([, { internal }]) => !internal).map(([name, input]) => [
        `\`${name}\``,
        `${input.about}${input.choices === undefined ? '' : ` (${input.choices.join(', ')})`}`,
        input.default ?? '',
        `\`${input.example}\``,
      ]),
    ),
    outputs: table(
      ['output', 'what it is', 'example'],
      OUTPUT_ROWS.map(([name, { about, example }]) => [`\`${name}\``, about, `\`${example}\``]),
    ),
    refusals: table(
      ['where', 'what to change'],
      REFUSALS.map(({ when, advice }) => [when, advice]),
    ),
  }
}
