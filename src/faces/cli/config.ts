import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { CarrelError } from '../../model/errors.ts'
import { CONFIG_ENV, Config } from '../../model/settings/config.ts'
import { absentAsNullSync } from '../../primitives/absent-as-null.ts'
import { messageOf } from '../../primitives/message-of.ts'
import { badInput } from './problem.ts'

type Key = keyof Config

/** Effective settings with their origins: an option, an environment variable, a file, or `default`. */
export interface Settings {
  readonly config: Config
  readonly origins: Readonly<Record<Key, string>>
}

export interface Sources {
  readonly flags: Readonly<Partial<Record<Key, unknown>>>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly platform: string
}

/** Page, redirects and cookies name paths from the root. */
const NO_PREFIX =
  'Carrel cannot be served below a path: there is no setting basePath. Give Carrel a host name of its own, such as carrel.example.com, and add the name to allowedHosts.'

export function dataFolderOf({ flags, env, cwd, platform }: Sources): { path: string; origin: string } {
  if (flags.dataFolder) return { path: resolve(cwd, String(flags.dataFolder)), origin: '--data' }
  if (env.CARREL_DATA_FOLDER) return { path: resolve(cwd, env.CARREL_DATA_FOLDER), origin: 'CARREL_DATA_FOLDER' }
  const home = env.HOME || homedir()
  if (platform === 'darwin') return { path: join(home, 'Library', 'Application Support', 'Carrel'), origin: 'default' }
  if (env.XDG_DATA_HOME) return { path: join(env.XDG_DATA_HOME, 'carrel'), origin: 'XDG_DATA_HOME' }
  return { path: join(home, '.local', 'share', 'carrel'), origin: 'default' }
}

/**
 * Loads the settings from the command line, the environment, `config.json` in the data folder, and the defaults, in
 * this order.
 * @throws bad_input with setting, value and origin
 */
export function loadSettings(sources: Sources): Settings {
  if (sources.env.CARREL_BASE_PATH) throw badInput(NO_PREFIX, { setting: 'basePath' })
  const folder = dataFolderOf(sources)
  const file = join(folder.path, 'config.json')
  const fromFile = readConfigFile(file)
  const values: Partial<Record<Key, unknown>> = {}
  const origins = {} as Record<Key, string>
  for (const key of Object.keys(Config.shape) as Key[]) {
    const [raw, origin] = key === 'dataFolder' ? [folder.path, folder.origin] : pick(key, sources, fromFile, file)
    origins[key] = origin
    values[key] = check(key, raw, origin)
  }
  return { config: Config.parse(values), origins }
}

function pick(key: Key, { flags, env }: Sources, fromFile: Record<string, unknown>, file: string): [unknown, string] {
  if (flags[key] !== undefined) return [flags[key], `--${key.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`]
  const name = Object.keys(CONFIG_ENV).find((each) => CONFIG_ENV[each] === key)
  const text = name === undefined ? undefined : env[name]
  if (name !== undefined && text !== undefined && text !== '') return [fromText(key, text), name]
  if (fromFile[key] !== undefined) return [fromFile[key], file]
  return [undefined, 'default']
}

/** Parses an environment variable: a list is comma-separated, `null` means none for nullable settings. */
function fromText(key: Key, text: string): unknown {
  const inner = (Config.shape[key].def as Wrapping).innerType?.def
  const nullable = inner?.type === 'nullable'
  if (nullable && text === 'null') return null
  const type = nullable ? inner.innerType?.def.type : inner?.type
  if (type === 'array') return text.split(',').flatMap((part) => (part.trim() ? [part.trim()] : []))
  return text
}

interface Wrapping {
  readonly innerType?: { readonly def: Wrapping & { readonly type: string } }
}

function check(key: Key, raw: unknown, origin: string): unknown {
  const parsed = Config.shape[key].safeParse(raw)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const where = issue && issue.path.length > 0 ? ` (at ${issue.path.join('.')})` : ''
  throw badInput(
    `The setting ${key} cannot be ${shown(key, raw)} (from ${origin}): ${issue?.message ?? 'not valid'}${where}. Correct the value there.`,
    { setting: key, value: shown(key, raw), origin },
  )
}

/** Formats a setting for display, without the password of a database or the token of a browser service. */
export function shown(key: string, value: unknown): string {
  const secret = SECRET_PARTS[key]
  if (!secret || typeof value !== 'string') return JSON.stringify(value) ?? 'nothing'
  return JSON.stringify(value.replace(...secret))
}

const SECRET_PARTS: Readonly<Record<string, [RegExp, string]>> = {
  databaseUrl: [/:\/\/[^@/]*@/, '://***@'],
  browserEndpoint: [/:\/\/([^@/]*@)?([^/?]*)[/?].*/, '://$2/***'],
}

function readConfigFile(file: string): Record<string, unknown> {
  let text: string | null
  try {
    text = absentAsNullSync(() => readFileSync(file, 'utf8'))
  } catch (error) {
    throw new CarrelError('bad_input', `${file} cannot be read: ${messageOf(error)}.`, { file }, error)
  }
  if (text === null) return {}
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw badInput(`${file} is not JSON: ${messageOf(error)}. Correct or remove the file.`, { file })
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw badInput(`${file} must contain one JSON object of settings, like {"port": 4747}.`, { file })
  for (const key of Object.keys(value)) {
    if (key === 'dataFolder')
      throw badInput(`dataFolder cannot be set in ${file}, which is inside the data folder. Use --data.`, { file })
    if (key === 'basePath') throw badInput(NO_PREFIX, { setting: key, file })
    if (!(key in Config.shape))
      throw badInput(
        `${file} sets ${JSON.stringify(key)}, which is not a setting. \`carrel config\` lists all settings.`,
        { setting: key, file },
      )
  }
  return value as Record<string, unknown>
}
