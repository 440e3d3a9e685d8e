/** What is made when it is first asked for, and not again; when making it throws, the next one who asks tries again. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
