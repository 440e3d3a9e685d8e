#!/usr/bin/env -S npx zx
/** Puts CoreDNS and kube-proxy into the cluster. */
import { type Script, script } from '../lib/cli/script.ts'
import { addon as phase } from '../lib/phases/addon.ts'

export const addon: Script = script(import.meta, phase.command, phase.run)
