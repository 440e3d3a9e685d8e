#!/usr/bin/env -S npx zx
/** Shows how other nodes join. */
import { type Script, script } from '../lib/cli/script.ts'
import { showJoinCommand as phase } from '../lib/phases/show-join-command.ts'

export const showJoinCommand: Script = script(import.meta, phase.command, phase.run)
