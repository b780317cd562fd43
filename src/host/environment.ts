const BASIC = new Set(['PATH', 'HOME', 'LANG', 'LANGUAGE', 'TERM', 'TMPDIR', 'USER', 'LOGNAME', 'SHELL', 'TZ'])
const PROXIES = new Set(['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'ALL_PROXY'])

/**
 * The whole environment of a child (P3): what every program needs, the proxies, the names that are let through, and
 * fixed values, which win. Everything else in `source` stays behind.
 */
export function allowedEnv(
  source: Readonly<Record<string, string | undefined>>,
  passNames: readonly string[],
  fixed: Readonly<Record<string, string>>,
): Record<string, string> {
  const named = new Set(passNames)
  const passed = Object.entries(source).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && (isBasic(entry[0]) || named.has(entry[0])),
  )
  return { ...Object.fromEntries(passed), ...fixed }
}

function isBasic(name: string): boolean {
  return BASIC.has(name) || name.startsWith('LC_') || PROXIES.has(name.toUpperCase())
}
