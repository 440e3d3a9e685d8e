#!/usr/bin/env -S npx zx
/** Bootstrap tokens. */
import { type Script, script } from '../lib/script.ts'
import { randomToken } from '../lib/token.ts'

export const token: Script = script(
  import.meta,
  {
    name: 'token',
    about: 'Manage bootstrap tokens.',
    options: [],
    subcommands: [{ name: 'generate', about: 'Print a random bootstrap token; the cluster does not learn of it' }],
    needsSubcommand: true,
    examples: ['token.mts generate'],
  },
  async call => call.output.result(`${randomToken()}\n`),
)
