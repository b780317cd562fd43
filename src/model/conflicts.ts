import { z } from 'zod'
import { CarrelError } from './errors.ts'
import type { Author, Conflict, FilePath, Plan, PlanEntry } from './history.ts'
import type { Millis, RunId, SessionId } from './ids.ts'
import type { GlobMatch } from './rules.ts'

/**
 * Which paths need a second look before Carrel writes them, by rules of the Space: anchored globs, first match wins.
 * `confirm` must be named by whoever carries out a plan; `block` is never written by one.
 */
export const PathClass = z.enum(['system', 'platform', 'work', 'temporary'])
export type PathClass = z.infer<typeof PathClass>

export const PathRule = z.object({
  /** Anchored at the root of the place; `**` crosses folders, `*` does not; case counts. */
  glob: z.string().min(1).max(1_024),
  class: PathClass,
  action: z.enum(['allow', 'confirm', 'block']),
})
export type PathRule = z.infer<typeof PathRule>

/** What of a Space's files is covered and guarded; a person may change it. */
export const FileRules = z.object({
  /** Lines as in an ignore file: what is left out of the history. A line with `!` brings something back in. */
  ignore: z.array(z.string().max(1_024)).max(1_000),
  /** Also leave out what the folder's own `.gitignore` files name. */
  useGitignore: z.boolean(),
  /** Files over this are gaps. Bytes. */
  maxFileBytes: z.number().int().min(0),
  paths: z.array(PathRule).max(1_000),
})
export type FileRules = z.infer<typeof FileRules>

const rules = (pathClass: PathClass, action: PathRule['action'], globs: readonly string[]): PathRule[] =>
  globs.map((glob) => ({ glob, class: pathClass, action }))

/** What is shipped. A glob says where it stands: nothing here matches a part of a name. */
export const DEFAULT_PATH_RULES: readonly PathRule[] = [
  // Another program's memory, not files of the work; writing one half of it breaks the other.
  ...rules('system', 'block', ['**/.git/**']),
  // Templates are made to be shared: they hold names, no secrets.
  ...rules('work', 'allow', ['**/.env.{example,sample,template,dist}']),
  // Environment and secrets.
  ...rules('system', 'confirm', [
    '**/{.env,.env.*,*.env,.envrc}',
    '**/{secrets,.secrets,credentials}/**',
    '**/{secret,secrets,credentials}.{json,yml,yaml,toml,ini,env}',
    '**/{.netrc,.npmrc,.pypirc,.pgpass,.git-credentials,.htpasswd}',
    '**/{.ssh,.gnupg,.aws,.kube}/**',
    '**/id_{rsa,dsa,ecdsa,ed25519}',
    '**/*.{pem,key,p12,pfx,jks,keystore}',
  ]),
  // Compose files and CI: what starts machines.
  ...rules('system', 'confirm', [
    '**/{docker-compose,compose}.{yml,yaml}',
    '**/{docker-compose,compose}.*.{yml,yaml}',
    '{.github,.forgejo,.gitea}/{workflows,actions}/**',
    '.gitlab-ci.yml',
    '.gitlab/ci/**',
    '{.circleci,.buildkite,.woodpecker}/**',
    '{.travis,.drone,.woodpecker,.appveyor}.yml',
    '{azure,bitbucket}-pipelines.yml',
    'Jenkinsfile',
  ]),
  // What agents are told, and what they may use.
  ...rules('platform', 'confirm', [
    '**/{AGENTS,AGENTS.override,CLAUDE,CLAUDE.local,GEMINI,QWEN,SKILL}.md',
    '**/{.agents,.claude,.codex,.gemini,.qwen,.cursor,.windsurf,.opencode,.continue,.roo,.kiro,.junie,.carrel}/**',
    '**/{.cursorrules,.windsurfrules,.goosehints,.mcp.json,.aider.conf.yml}',
    '**/.clinerules/**',
    'opencode.{json,jsonc}',
    '.github/{instructions,prompts,chatmodes,agents}/**',
    '.github/copilot-instructions.md',
    '**/*.prompt.md',
    '{prompts,skills}/**',
  ]),
  // What is made again.
  ...rules('temporary', 'allow', [
    '{tmp,temp,logs,log,dist,build,out,target,coverage}/**',
    '{packages,apps,crates}/*/{dist,build,target,coverage}/**',
    '**/{node_modules,.cache,.tmp,__pycache__,.pytest_cache,.mypy_cache,.ruff_cache,.venv}/**',
    '**/{.next,.nuxt,.turbo,.svelte-kit,.parcel-cache,.gradle}/**',
    '**/*.{log,tmp,swp,pyc}',
    '**/.DS_Store',
  ]),
]

export interface PathVerdict {
  readonly class: PathClass
  readonly action: PathRule['action']
  /** The rule that decided; null where none matched: everything else is work. */
  readonly glob: string | null
}

export function classify(path: FilePath, among: readonly PathRule[], matches: GlobMatch): PathVerdict {
  const rule = among.find(({ glob }) => matches(path, glob))
  return rule ?? { class: 'work', action: 'allow', glob: null }
}

/** What writing a path would cost somebody, as the history tells it. */
export interface Loss {
  readonly path: FilePath
  /** Only folders come and go: no bytes can be lost. */
  readonly folder: boolean
  /** The newest change by somebody else whose bytes would be gone. */
  readonly taken: { readonly by: Author; readonly at: Millis } | null
  /** Places where both sides changed the same lines. */
  readonly conflict: number
  /** Runs of which one wrote what would be undone, and nobody knows which. */
  readonly among: readonly RunId[]
  readonly gap: string | null
}

export interface Guard {
  readonly rules: readonly PathRule[]
  /** Runs at work, and what they lately wrote or read. */
  readonly active: readonly { readonly run: RunId; readonly session: SessionId; readonly paths: readonly FilePath[] }[]
  readonly matches: GlobMatch
}

/**
 * Every reason not to write a path without being told to. The one judge of preview and act, so that they cannot
 * disagree. What is temporary is made again by whoever comes: who read it or may have made it is no question there.
 */
export function conflictsOf(loss: Loss, guard: Guard): Conflict[] {
  const reasons: Conflict[] = []
  if (loss.gap !== null) reasons.push({ kind: 'gap', why: loss.gap })
  if (loss.conflict > 0) reasons.push({ kind: 'merge_conflict', hunks: loss.conflict })
  if (loss.taken) reasons.push({ kind: 'others_work', ...loss.taken })
  if (loss.folder) return reasons
  const { class: pathClass, action, glob } = classify(loss.path, guard.rules, guard.matches)
  if (action !== 'allow') reasons.push({ kind: 'file_rule', class: pathClass, action, pattern: glob ?? '' })
  if (pathClass === 'temporary') return reasons
  if (loss.among.length > 0) reasons.push({ kind: 'uncertain', among: [...loss.among] })
  const users = guard.active.filter(({ paths }) => paths.includes(loss.path))
  return [...reasons, ...users.map(({ run, session }) => ({ kind: 'in_use' as const, run, session }))]
}

/** Nobody can have it written: a rule forbids it, or the way back is not kept. */
export const onlyLeft = ({ conflicts }: PlanEntry): boolean =>
  conflicts.some((reason) => reason.kind === 'gap' || (reason.kind === 'file_rule' && reason.action === 'block'))

export interface Chosen {
  readonly write: readonly PlanEntry[]
  readonly left: readonly FilePath[]
}

/**
 * What of a plan is carried out. Every conflicts path is named, to be overwritten or to be left.
 * @throws conflicts with the paths that were not, or that cannot be overwritten; bad_input for names that are not in the plan
 */
export function choose(plan: Plan, named: { overwrite: readonly FilePath[]; leave: readonly FilePath[] }): Chosen {
  const overwrite = new Set(named.overwrite)
  const leave = new Set(named.leave)
  const known = new Set(plan.entries.map(({ path }) => path))
  const stranger = [...overwrite, ...leave].find((path) => !known.has(path))
  if (stranger !== undefined) refuse('bad_input', `"${stranger}" is not in the plan. Name paths of the plan only.`)
  const twice = [...overwrite].find((path) => leave.has(path))
  if (twice !== undefined) refuse('bad_input', `"${twice}" cannot be both overwritten and left. Name it once.`)
  const unnamed = plan.entries.filter(({ path, conflicts }) => conflicts.length > 0 && !overwrite.has(path))
  const open = unnamed.filter(({ path }) => !leave.has(path))
  if (open.length > 0)
    refuse('conflict', `${open.length} paths are conflicts. Name each to overwrite or to leave.`, open)
  const shut = plan.entries.filter((entry) => overwrite.has(entry.path) && onlyLeft(entry))
  if (shut.length > 0) refuse('conflict', `${shut.length} paths cannot be overwritten. Leave them.`, shut)
  return part(plan.entries, leave)
}

function part(entries: readonly PlanEntry[], leave: ReadonlySet<FilePath>): Chosen {
  const stays = new Set(leave)
  // From below: a folder with something left in it is left too.
  for (const entry of entries.toReversed())
    if (entry.now?.kind === 'folder' && entry.next === null && hasBelow(stays, entry.path)) stays.add(entry.path)
  const write = entries.filter(({ path }) => !stays.has(path))
  const unmade = entries.filter(({ path, now, next }) => stays.has(path) && now?.kind !== 'folder' && next !== null)
  const torn = write.filter(({ path, now, next }) => {
    const vanishes = now?.kind === 'folder' && next?.kind !== 'folder'
    return (vanishes && hasBelow(stays, path)) || unmade.some((above) => path.startsWith(`${above.path}/`))
  })
  if (torn.length > 0)
    refuse(
      'conflict',
      `"${torn[0]?.path}" can only be written together with what it lies in. Leave both or neither.`,
      torn,
    )
  return { write, left: entries.filter(({ path }) => stays.has(path)).map(({ path }) => path) }
}

const hasBelow = (paths: ReadonlySet<FilePath>, folder: FilePath): boolean =>
  [...paths].some((path) => path.startsWith(`${folder}/`))

function refuse(code: 'bad_input' | 'conflict', message: string, entries?: readonly PlanEntry[]): never {
  throw new CarrelError(code, message, entries && { conflicts: entries })
}
