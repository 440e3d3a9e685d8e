#!/usr/bin/env -S npx zx
/** Writes the manifests of the API server, the controller manager and the scheduler. */
import { type Script, script } from '../lib/cli/script.ts'
import { controlPlane as phase } from '../lib/phases/control-plane.ts'

export const controlPlane: Script = script(import.meta, phase.command, phase.run)
