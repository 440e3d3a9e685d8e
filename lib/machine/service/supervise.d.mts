export function parseVariables(text: string): ReadonlyMap<string, string>
export function splitWords(text: string): string[]
