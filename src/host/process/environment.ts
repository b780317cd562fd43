import { delimiter, join, sep } from 'node:path'

const BASIC = new Set(['PATH', 'HOME', 'LANG', 'LANGUAGE', 'TERM', 'TMPDIR', 'USER', 'LOGNAME', 'SHELL', 'TZ'])
const PROXIES = new Set(['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'ALL_PROXY'])

/** Returns a child's environment (P3): basic variables, proxies, the names that pass, and fixed values, which win. */
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

const isBasic = (name: string): boolean => BASIC.has(name) || name.startsWith('LC_') || PROXIES.has(name.toUpperCase())

/**
 * Returns PATH without the folders that `npm start` puts in front. They lead to Carrel's own Node, which is too new for
 * some agents (Qwen Code 0.15 then cannot reach its model). `ownRoot` is the folder of Carrel's package. Use the result
 * to find and to run agents.
 */
export function machinePath(path: string, ownRoot: string): string {
  const added = (folder: string) => {
    if (folder.endsWith(`${sep}node-gyp-bin`)) return true
    const bin = `${sep}${join('node_modules', '.bin')}`
    return folder.endsWith(bin) && `${ownRoot}${sep}`.startsWith(`${folder.slice(0, -bin.length)}${sep}`)
  }
  return path
    .split(delimiter)
    .filter((folder) => !added(folder))
    .join(delimiter)
}
