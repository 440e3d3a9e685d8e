#!/usr/bin/env -S npx zx
/** Joins this machine to a cluster; or runs one phase of that. */
import { type Script, script } from '../lib/cli/script.ts'
import { join as phase } from '../lib/phases/join.ts'

export const join: Script = script(import.meta, phase.command, phase.run)
