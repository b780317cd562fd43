/** Parses JSON; null for a text that is not JSON, such as half a file. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
