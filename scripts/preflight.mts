#!/usr/bin/env -S npx zx
/** Says what of this machine stands in the way of a cluster, and what fixes it; changes nothing. */
import { type Script, script } from '../lib/cli/script.ts'
import { preflight as phase } from '../lib/phases/preflight.ts'

export const preflight: Script = script(import.meta, phase.command, phase.run)
