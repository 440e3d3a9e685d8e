/** Follows several collections as one state: for work that needs them together. */
import type { Api } from './api-client.ts'
import { follow, newest, type Watch } from './watch.ts'

export interface FollowedState<State> {
  /** Which collection each part of the state comes from, and what is wanted of its objects. */
  readonly collections: { readonly [Name in keyof State]: Pick<Watch<State[Name]>, 'collection' | 'keep'> }
  /** Gets all of them once each has been listed, and after each change of any; never called while it still runs. */
  readonly onState: (state: { readonly [Name in keyof State]: readonly State[Name][] }) => Promise<void>
  readonly onFault: (reason: string) => void
}

/** Follows until `signal` ends it. */
export async function followAll<State extends object>(
  open: () => Api,
  { collections, onState, onFault }: FollowedState<State>,
  signal: AbortSignal,
): Promise<void> {
  const names = Object.keys(collections) as (keyof State)[]
  const state: { [Name in keyof State]?: readonly State[Name][] } = {}
  const tell = newest(
    async () => {
      const isWhole = names.every(name => state[name] !== undefined)
      if (isWhole) await onState(state as { readonly [Name in keyof State]: readonly State[Name][] })
    },
    onFault,
    signal,
  )
  await Promise.all(
    names.map(name =>
      follow(
        open,
        {
          ...collections[name],
          onState: async objects => {
            state[name] = objects
            tell()
          },
          onFault,
        },
        signal,
      ),
    ),
  )
}
