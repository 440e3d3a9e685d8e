#!/usr/bin/env -S npx zx
/** Puts the CAs and the service account key, encrypted, into the cluster for joining control planes. */
import { type Script, script } from '../lib/cli/script.ts'
import { uploadCerts as phase } from '../lib/phases/upload-certs.ts'

export const uploadCerts: Script = script(import.meta, phase.command, phase.run)
