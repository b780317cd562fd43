import { z } from 'zod'
import { CarrelError } from '../errors.ts'
import type { Millis, RunId, SessionId } from '../ids.ts'
import type { GlobMatch } from '../rules.ts'
import { onlyUnwatched } from './authorship.ts'
import type { Author, Conflict, FilePath, Plan, PlanEntry } from './history.ts'

/**
 * Class of a path in the file rules of a Space. Rules are anchored globs; the first match wins.
 * Action `confirm`: the caller who applies a plan must name the path. Action `block`: no plan writes the path.
 */
export const PathClass = z.enum(['system', 'platform', 'work', 'temporary'])
export type PathClass = z.infer<typeof PathClass>

export const PathRule = z.object({
  /** Anchored at the root of the place; `**` crosses folders, `*` does not; case-sensitive. */
  glob: z.string().min(1).max(1_024),
  class: PathClass,
  action: z.enum(['allow', 'confirm', 'block']),
})
export type PathRule = z.infer<typeof PathRule>

/** File rules of a Space: files left out of the history, and paths that need confirmation. */
export const FileRules = z.object({
  /** Lines in `.gitignore` syntax: files left out of the history. A line with `!` includes files again. */
  ignore: z.array(z.string().max(1_024)).max(1_000),
  /** Whether `.gitignore` files of the folder apply as well. */
  useGitignore: z.boolean(),
  /** Larger files are not tracked (gaps). Bytes. */
  maxFileBytes: z.number().int().min(0),
  paths: z.array(PathRule).max(1_000),
})
export type FileRules = z.infer<typeof FileRules>

const rules = (pathClass: PathClass, action: PathRule['action'], globs: readonly string[]): PathRule[] =>
  globs.map((glob) => ({ glob, class: pathClass, action }))

/** Shipped file rules. Every glob is anchored: none matches a part of a name. */
export const DEFAULT_PATH_RULES: readonly PathRule[] = [
  // Git's own database: writing one half of it breaks the other.
  ...rules('system', 'block', ['**/.git/**']),
  // Templates are meant to be shared: they hold names, not secrets.
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
  // Compose files and CI start containers and machines.
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
  // Instructions and tool permissions of agents.
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
  // Generated files: tools create them again.
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
  /** Glob of the matching rule; null without a match: the path counts as work. */
  readonly glob: string | null
}

export function classify(path: FilePath, among: readonly PathRule[], matches: GlobMatch): PathVerdict {
  const rule = among.find(({ glob }) => matches(path, glob))
  return rule ?? { class: 'work', action: 'allow', glob: null }
}

/** Work that writing a path would overwrite, according to the history. */
export interface PathLoss {
  readonly path: FilePath
  /** Only folders change: no bytes can be lost. */
  readonly folder: boolean
  /** Newest change by another author whose bytes would be lost. */
  readonly taken: { readonly by: Author; readonly at: Millis } | null
  /** Number of hunks where both sides changed the same lines. */
  readonly conflict: number
  /** Runs that may have written the content to undo; which of them did is unknown. */
  readonly among: readonly RunId[]
  /** The same for content that was written while no server looked. */
  readonly unwatched: readonly RunId[]
  readonly gap: string | null
  /** True when content would go that came from outside of the history. */
  readonly onlyCopy: boolean
}

export interface Guard {
  readonly rules: readonly PathRule[]
  /** Active runs with the paths they recently wrote or read. */
  readonly active: readonly { readonly run: RunId; readonly session: SessionId; readonly paths: readonly FilePath[] }[]
  readonly matches: GlobMatch
}

/**
 * Returns every reason why writing a path needs confirmation. Preview and apply share this function, so that they
 * cannot disagree. Temporary paths are generated again: their readers and possible authors are no reason.
 */
export function conflictsOf(loss: PathLoss, guard: Guard): Conflict[] {
  const reasons: Conflict[] = []
  if (loss.gap !== null) reasons.push({ kind: 'gap', why: loss.gap })
  if (loss.conflict > 0) reasons.push({ kind: 'merge_conflict', hunks: loss.conflict })
  if (loss.taken) reasons.push({ kind: 'others_work', ...loss.taken })
  if (loss.folder) return reasons
  if (loss.onlyCopy) reasons.push({ kind: 'only_copy' })
  const { class: pathClass, action, glob } = classify(loss.path, guard.rules, guard.matches)
  if (action !== 'allow') reasons.push({ kind: 'file_rule', class: pathClass, action, pattern: glob ?? '' })
  if (pathClass === 'temporary') return reasons
  if (loss.among.length > 0) reasons.push({ kind: 'uncertain', among: [...loss.among] })
  if (loss.unwatched.length > 0) reasons.push({ kind: 'unwatched', among: [...loss.unwatched] })
  const users = guard.active.filter(({ paths }) => paths.includes(loss.path))
  return [...reasons, ...users.map(({ run, session }) => ({ kind: 'in_use' as const, run, session }))]
}

/** Whether no confirmation can write the path: a rule blocks it, or its old content is not kept. */
export const onlyLeft = ({ conflicts }: PlanEntry): boolean =>
  conflicts.some((reason) => reason.kind === 'gap' || (reason.kind === 'file_rule' && reason.action === 'block'))

/** The decisions of the caller who applies a plan. */
export interface PlanDecisions {
  readonly overwrite: readonly FilePath[]
  readonly leave: readonly FilePath[]
  /** One decision for all other paths that need confirmation only because no server looked. */
  readonly unwatched?: 'overwrite' | 'leave' | undefined
}

export interface PlanChoice {
  readonly write: readonly PlanEntry[]
  readonly left: readonly FilePath[]
}

/**
 * Selects the entries of a plan to apply. The caller names every path that needs confirmation, to overwrite or to leave.
 * A path whose content would only move to one that is left is left too, unless it is named.
 * @throws conflicts for paths that are not named or cannot be overwritten; bad_input for paths outside the plan
 */
export function choose(plan: Plan, named: PlanDecisions): PlanChoice {
  const overwrite = new Set(named.overwrite)
  const leave = new Set(named.leave)
  if (named.unwatched) {
    const rest = plan.entries.filter((entry) => onlyUnwatched(entry) && !leave.has(entry.path))
    for (const { path } of rest) if (!overwrite.has(path)) (named.unwatched === 'leave' ? leave : overwrite).add(path)
  }
  const known = new Set(plan.entries.map(({ path }) => path))
  const stranger = [...overwrite, ...leave].find((path) => !known.has(path))
  if (stranger !== undefined) refuse('bad_input', `"${stranger}" is not in the plan. Name paths of the plan only.`)
  const twice = [...overwrite].find((path) => leave.has(path))
  if (twice !== undefined) refuse('bad_input', `"${twice}" cannot be both overwritten and left. Name it once.`)
  const unnamed = plan.entries.filter(({ path, conflicts }) => conflicts.length > 0 && !overwrite.has(path))
  const open = unnamed.filter(({ path }) => !leave.has(path))
  if (open.length > 0) refuse('conflict', `Paths that need confirmation: ${open.length}. ${adviceFor(open)}`, open)
  const shut = plan.entries.filter((entry) => overwrite.has(entry.path) && onlyLeft(entry))
  if (shut.length > 0) refuse('conflict', `Paths that cannot be overwritten: ${shut.length}. Leave them.`, shut)
  return part(plan.entries, { leave, overwrite })
}

const adviceFor = (open: readonly PlanEntry[]): string =>
  open.every(onlyUnwatched)
    ? 'No server looked when they were written. Decide about all with `unwatched`, or name each.'
    : 'Name each to overwrite or to leave.'

interface Named {
  readonly leave: ReadonlySet<FilePath>
  readonly overwrite: ReadonlySet<FilePath>
}

function part(entries: readonly PlanEntry[], named: Named): PlanChoice {
  const stays = staying(entries, named)
  // Children come first: a folder that keeps a child stays as well.
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
      `"${torn[0]?.path}" and its parent folder can only be written together. Leave both or neither.`,
      torn,
    )
  return { write, left: entries.filter(({ path }) => stays.has(path)).map(({ path }) => path) }
}

/** Content that would only move to a path that is left stays where it is: it would exist nowhere. */
function staying(entries: readonly PlanEntry[], { leave, overwrite }: Named): Set<FilePath> {
  const stays = new Set(leave)
  const byContent = Map.groupBy(entries, ({ next }) => next?.digest ?? null)
  const isLosing = ({ path, now, next }: PlanEntry): boolean => {
    if (!now?.digest || now.size === 0 || now.digest === next?.digest) return false
    if (stays.has(path) || overwrite.has(path)) return false
    const targets = byContent.get(now.digest) ?? []
    return targets.length > 0 && targets.every((target) => stays.has(target.path))
  }
  const halves: FilePath[] = []
  const isTorn = ({ path, now, next }: PlanEntry): boolean =>
    !stays.has(path) &&
    (halves.some((half) => path.startsWith(`${half}/`)) ||
      (now?.kind === 'folder' && next !== null && next.kind !== 'folder' && hasBelow(new Set(halves), path)))
  // One that stays may be the target of another one, as in a circle of moves.
  for (let more = [...leave]; more.length > 0; ) {
    more = entries.filter((entry) => isLosing(entry) || isTorn(entry)).map(({ path }) => path)
    for (const path of more) stays.add(path)
    halves.push(...more)
  }
  return stays
}

const hasBelow = (paths: ReadonlySet<FilePath>, folder: FilePath): boolean =>
  [...paths].some((path) => path.startsWith(`${folder}/`))

function refuse(code: 'bad_input' | 'conflict', message: string, entries?: readonly PlanEntry[]): never {
  throw new CarrelError(code, message, entries && { conflicts: entries })
}
