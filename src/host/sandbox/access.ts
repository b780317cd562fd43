import { delimiter, isAbsolute, join } from 'node:path'
import type { AgentRecipe } from '../../model/agent.ts'
import { isBelow } from './walls.ts'

/** Usual places of secrets, relative to the home folder. */
const SECRETS: readonly string[] = [
  '.ssh',
  '.gnupg',
  '.aws',
  '.azure',
  '.boto',
  '.cargo/credentials',
  '.cargo/credentials.toml',
  '.config/chromium',
  '.config/doctl',
  '.config/gcloud',
  '.config/gh',
  '.config/glab-cli',
  '.config/google-chrome',
  '.config/hub',
  '.config/op',
  '.config/rclone',
  '.config/sops',
  '.docker',
  '.gem/credentials',
  '.git-credentials',
  '.config/git/credentials',
  '.kube',
  '.local/share/keyrings',
  '.mozilla',
  '.my.cnf',
  '.netrc',
  '.npmrc',
  '.oci',
  '.password-store',
  '.pgpass',
  '.pypirc',
  '.s3cfg',
  '.terraform.d/credentials.tfrc.json',
  '.vault-token',
  '.bash_history',
  '.zsh_history',
  '.node_repl_history',
  '.python_history',
]

/** Sockets of daemons that run any request as root. */
const MASTERS: readonly string[] = ['/var/lib/incus', '/var/lib/lxd', '/var/snap/lxd/common/lxd']

/** Paths as configured; only those that exist at an agent's start count. */
export interface Access {
  /** Own files of the agent. A path that ends with / is a folder and made where missing. */
  readonly write: readonly string[]
  /** Paths that are its own but must not change, because others would run them. */
  readonly read: readonly string[]
  /** Paths that it needs to start, wherever they are. */
  readonly see: readonly string[]
  readonly hide: readonly string[]
}

interface Agent {
  readonly recipe: AgentRecipe
  /** All known agents: their logins are hidden from this one. */
  readonly known: readonly AgentRecipe[]
  readonly env: Readonly<Record<string, string>>
  /** Home folder of the person. */
  readonly home: string
  readonly dataFolder: string
  readonly see: readonly string[]
}

/** Returns the folders that an agent may write beside its place, and those hidden from it. Reads no disk. */
export function accessOf({ recipe, known, env, home, dataFolder, see }: Agent): Access {
  const all = ownPathsOf({ recipe, env, home, dataFolder })
  const logins = known.filter(({ id }) => id !== recipe.id).flatMap(({ loginFiles }) => loginFiles)
  // A program that it puts there would be found before bubblewrap itself.
  const searched = (env.PATH ?? '').split(delimiter).filter(isAbsolute)
  return {
    write: all,
    // Carrel's own Node may lie in a cache that the agent may write; others would run what it put there.
    read: [...searched, ...see].filter((path) =>
      all.some((own) => isBelow(join(path, '.'), join(own, '.').replace(/\/$/, ''))),
    ),
    see,
    hide: [...[...SECRETS, ...logins].map((path) => join(home, path)), ...MASTERS, dataFolder],
  }
}

/** Returns the agent's own files and folders, which it may write beside its place; a folder ends with /. Reads no disk. */
export function ownPathsOf({ recipe, env, home, dataFolder }: Omit<Agent, 'known' | 'see'>): string[] {
  const own = env.HOME ?? home
  // A home that Carrel made for the agent belongs to it as a whole.
  const write = isBelow(own, dataFolder) ? [`${own}/`] : recipe.ownPaths.filter(isNamed).map((path) => join(own, path))
  const variables = recipe.ownPaths.flatMap((path) => (isNamed(path) ? [] : (env[path.slice(1, -1)] ?? [])))
  return [...write, ...variables.filter(isAbsolute).map((path) => `${path}/`)]
}

const isNamed = (path: string) => !path.startsWith('$')

/** Returns the hosts of a strict sandbox: of the Space, of the agent, and its configured endpoints. */
export function hostsOf(
  { hosts, passEnv }: AgentRecipe,
  env: Readonly<Record<string, string>>,
  own: readonly string[],
): string[] {
  const endpoints = passEnv
    .filter((name) => name.endsWith('_BASE_URL'))
    .flatMap((name) => (URL.canParse(env[name] ?? '') ? [new URL(env[name] ?? '')] : []))
    .map(({ protocol, hostname, port }) => `${hostname}:${port || (protocol === 'http:' ? 80 : 443)}`)
  return [...new Set([...own, ...hosts, ...endpoints])]
}
