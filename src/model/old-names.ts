/*
 * Public names that were renamed, by their kind. Logs are never rewritten: an old name in a log is read through this
 * table for ever. An error names the new one where a caller uses an old name of the API or the command line.
 */

/** Old event type -> the type it is read as. */
const EVENT_TYPES: Readonly<Record<string, string>> = { 'files.contended': 'files.conflicted' }

/** Old name of a driver of working copies, in logs and in files beside a copy -> its name. */
const DRIVERS: Readonly<Record<string, string>> = { 'reflink copy': 'reflink' }

/** Old operation -> the one to call. */
const OPERATIONS: Readonly<Record<string, string>> = {
  'surroundings.get': 'environment.get',
  'surroundings.set': 'environment.set',
  'surroundings.given': 'runs.environment',
  'contention.get': 'fileRules.get',
  'contention.set': 'fileRules.set',
  'contention.check': 'fileRules.check',
  'plans.carryOut': 'plans.apply',
  'history.everywhere': 'changes.list',
  'places.risks': 'places.previewRemoval',
  'server.retention': 'retention.preview or retention.apply',
}

/** Old path below `/api`, as a pattern -> the path below `/api/v1`. The first that fits decides. */
const PATHS: readonly (readonly [RegExp, string])[] = [
  [/\/runs\/([^/]+)\/surroundings$/, '/runs/$1/environment'],
  [/\/surroundings$/, '/environment'],
  [/\/spaces\/([^/]+)\/files(\/check)?$/, '/spaces/$1/file-rules$2'],
  [/\/plans\/carry-out$/, '/plans/apply'],
  [/^(\/workspaces\/[^/]+)\/history$/, '$1/changes'],
  [/\/projects\/([^/]+)\/place(\/export)?$/, '/projects/$1/copy$2'],
  [/^\/places\/drivers$/, '/copies/drivers'],
  [/^\/server\/retention$/, '/retention'],
]

/** Old command of the terminal -> the command to use. */
const COMMANDS: Readonly<Record<string, string>> = {
  surroundings: 'env',
  contention: 'file-rules',
  places: 'copies',
}

/** Operation -> its old fields, as paths into the input, with their new names. */
const FIELDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'fileRules.set': { 'rules.contention': 'rules.paths' },
}

export const eventTypeNow = (type: string): string => found(EVENT_TYPES, type) ?? type

export const driverNow = (driver: string): string => found(DRIVERS, driver) ?? driver

export const operationNow = (name: string): string | undefined => found(OPERATIONS, name)

export const commandNow = (name: string): string | undefined => found(COMMANDS, name)

/**
 * Returns the path to use instead of one below `/api` or `/api/v1` that is not served, or undefined where the path was
 * never one of Carrel's.
 */
export function pathNow(path: string): string | undefined {
  const below = /^\/api(\/v1)?(\/.*)$/.exec(path)
  if (!below) return undefined
  const [, version, rest = ''] = below
  const match = PATHS.find(([pattern]) => pattern.test(rest))
  const renamed = match ? rest.replace(match[0], match[1]) : rest
  return version === undefined || renamed !== rest ? `/api/v1${renamed}` : undefined
}

/** Returns an old field of an operation's input with its new name, or null where the input has none. */
export function oldFieldOf(operation: string, input: unknown): { readonly old: string; readonly now: string } | null {
  const fields = Object.hasOwn(FIELDS, operation) ? Object.entries(FIELDS[operation] ?? {}) : []
  const hit = fields.find(([path]) => valueAt(input, path.split('.')) !== undefined)
  return hit ? { old: hit[0], now: hit[1] } : null
}

const found = (table: Readonly<Record<string, string>>, name: string): string | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined

function valueAt(value: unknown, [key, ...rest]: readonly string[]): unknown {
  if (key === undefined) return value
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
  return valueAt((value as Record<string, unknown>)[key], rest)
}
