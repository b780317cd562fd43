export interface Cookie {
  readonly name: string
  readonly value: string
}

/** Returns all cookies with matching names. */
export const cookiesLike = (header: string | undefined, names: RegExp): Cookie[] =>
  pairs(header).flatMap((pair) => {
    const [name = '', ...rest] = pair.split('=')
    return names.test(name) ? [{ name, value: rest.join('=') }] : []
  })

/** Returns all cookies of a name. A page below the same domain can set a second one, and the first may be foreign. */
export const cookiesNamed = (header: string | undefined, name: string): string[] =>
  pairs(header).flatMap((pair) => (pair.startsWith(`${name}=`) ? [pair.slice(name.length + 1)] : []))

/** Removes the cookies with matching names from a header; undefined when none is left. */
export function withoutCookies(header: string | undefined, ours: RegExp): string | undefined {
  const kept = pairs(header).filter((pair) => !ours.test(pair.split('=', 1)[0]?.trim() ?? ''))
  return kept.length === 0 ? undefined : kept.join('; ')
}

const pairs = (header: string | undefined): string[] =>
  (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '')
