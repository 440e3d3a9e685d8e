#!/usr/bin/env -S npx zx
/** Waits until the control plane of this machine is up. */
import { type Script, script } from '../lib/cli/script.ts'
import { waitControlPlane as phase } from '../lib/phases/wait-control-plane.ts'

export const waitControlPlane: Script = script(import.meta, phase.command, phase.run)
