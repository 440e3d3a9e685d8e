/** The user's patches, read once. */

import type { JsonObject } from '../json.ts'
import type { Output } from '../output.ts'
import type { Phase } from '../phase.ts'
export function loadPatches(_phase: Phase, _output: Output): (target: string, object: JsonObject) => JsonObject {
  return (_target, object) => object
}
