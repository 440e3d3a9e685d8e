#!/usr/bin/env -S npx zx
/** Writes the manifest of a local etcd. */
import { type Script, script } from '../lib/cli/script.ts'
import { etcd as phase } from '../lib/phases/etcd.ts'

export const etcd: Script = script(import.meta, phase.command, phase.run)
