#!/usr/bin/env -S npx zx
/** Lets nodes join with bootstrap tokens. */
import { type Script, script } from '../lib/cli/script.ts'
import { bootstrapToken as phase } from '../lib/phases/bootstrap-token.ts'

export const bootstrapToken: Script = script(import.meta, phase.command, phase.run)
