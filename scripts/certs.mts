#!/usr/bin/env -S npx zx
/** Makes the certificates of a control plane, or keys and signing requests for them. */
import { type Script, script } from '../lib/cli/script.ts'
import { certs as phase } from '../lib/phases/certs.ts'

export const certs: Script = script(import.meta, phase.command, phase.run)
