#!/usr/bin/env -S npx zx
/** Labels and taints this machine's Node as a control plane. */
import { type Script, script } from '../lib/cli/script.ts'
import { markControlPlane as phase } from '../lib/phases/mark-control-plane.ts'

export const markControlPlane: Script = script(import.meta, phase.command, phase.run)
