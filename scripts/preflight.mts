#!/usr/bin/env -S npx zx
/** Says whether this machine can run a cluster, and how to fix what is wrong; changes nothing. */
import { type Script, script } from '../lib/cli/script.ts'
import { preflight as phase } from '../lib/phases/preflight.ts'

export const preflight: Script = script(import.meta, phase.command, phase.run)
