#!/usr/bin/env -S npx zx
/** Keeps this machine's part of a cluster right while the cluster changes; init and join start it as a service. */
import { type Script, script } from '../lib/cli/script.ts'
import { runAgent } from '../lib/phases/agent/agent.ts'

export const agent: Script = script(
  import.meta,
  {
    name: 'agent',
    about: "Keep routes to other nodes' Pods while nodes come and go; init and join start it as a service (ours).",
    options: [],
    positionals: '[FILE]',
    examples: ['agent.mts'],
  },
  async ({ output, positionals }) => {
    // Whoever ends it kills it: there is nothing to tidy up.
    await runAgent(output.say, new AbortController().signal, positionals[0])
  },
)
