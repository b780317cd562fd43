import { delimiter, isAbsolute, join } from 'node:path'
import type { AgentRecipe } from '../../model/agent.ts'
import { isBelow } from './walls.ts'

/** Where secrets are on machines of people, from the home folder. */
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

/** Who listens here does for root what it is asked. */
const MASTERS: readonly string[] = ['/var/lib/incus', '/var/lib/lxd', '/var/snap/lxd/common/lxd']

/** Paths as they are named; what there is of them is looked at when an agent starts. */
export interface Access {
  /** Its own; one that ends with / is a folder and made where it is missing. */
  readonly write: readonly string[]
  /** What it must not change though it is its own: others would run it. */
  readonly read: readonly string[]
  /** What it needs to start, wherever that is. */
  readonly see: readonly string[]
  readonly hide: readonly string[]
}

interface Agent {
  readonly recipe: AgentRecipe
  /** All that are known: the logins of the others are none of its business. */
  readonly known: readonly AgentRecipe[]
  readonly env: Readonly<Record<string, string>>
  /** The person's. */
  readonly home: string
  readonly dataFolder: string
  readonly see: readonly string[]
}

/** What of this machine's folders an agent may write and must not see, beside its place. Looks at nothing. */
export function accessOf({ recipe, known, env, home, dataFolder, see }: Agent): Access {
  const own = env.HOME ?? home
  // A home that Carrel made for it is its own as a whole.
  const write = isBelow(own, dataFolder) ? [`${own}/`] : recipe.ownPaths.filter(isNamed).map((path) => join(own, path))
  const variables = recipe.ownPaths.flatMap((path) => (isNamed(path) ? [] : (env[path.slice(1, -1)] ?? [])))
  const logins = known.filter(({ id }) => id !== recipe.id).flatMap(({ loginFiles }) => loginFiles)
  const all = [...write, ...variables.filter(isAbsolute).map((path) => `${path}/`)]
  // A program that it put there would be found before bubblewrap itself.
  const searched = (env.PATH ?? '').split(delimiter).filter(isAbsolute)
  return {
    write: all,
    // Carrel's own Node may lie in a cache that an agent may write: then too, others would run what it put there.
    read: [...searched, ...see].filter((path) =>
      all.some((own) => isBelow(join(path, '.'), join(own, '.').replace(/\/$/, ''))),
    ),
    see,
    hide: [...[...SECRETS, ...logins].map((path) => join(home, path)), ...MASTERS, dataFolder],
  }
}

const isNamed = (path: string) => !path.startsWith('$')

/** The hosts that a strict sandbox lets through: those of the Space, those of the agent, and the endpoints it was given. */
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
