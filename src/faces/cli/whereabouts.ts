import { realpathSync } from 'node:fs'
import { resolve, sep } from 'node:path'
import type { Carrel } from '../../api/index.ts'
import { CarrelError } from '../../model/errors.ts'
import type { Project, Session, Space } from '../../model/tree.ts'
import { given } from './arguments.ts'
import type { Cli } from './cli.ts'
import { badInput } from './problem.ts'
import type { Reached } from './reach.ts'

/** Where a command should work, as far as it was said. */
export interface Wanted {
  /** Id, name or folder. */
  readonly space?: string | undefined
  /** Id or name. */
  readonly project?: string | undefined
  readonly agent?: string | undefined
  readonly name?: string | undefined
}

const isId = (text: string, prefix: string): boolean => new RegExp(`^${prefix}_[0-9a-z]{26}$`).test(text)
const looksLikePath = (text: string): boolean => text === '.' || text === '..' || /[/\\]/.test(text) || text === '~'

/**
 * Finds the Space that is meant; for a folder that has none, makes one. Without a word it is the current folder's.
 * @throws not_found for a name nobody has, bad_input for a folder that cannot be a Space
 */
export async function spaceFor(
  cli: Cli,
  way: Reached,
  wanted: string | undefined,
  { create }: { readonly create: boolean } = { create: true },
): Promise<Space> {
  const { carrel } = way
  const { workspace } = cli
  if (wanted !== undefined && isId(wanted, 'spc'))
    return (await carrel.call('spaces.get', { workspace, id: wanted })).space
  const { spaces } = await carrel.call('spaces.list', { workspace })
  if (wanted !== undefined && !looksLikePath(wanted)) return named('Space', 'spaces', spaces, wanted)
  if (wanted === undefined && way.how === 'named' && !isHere(way.url))
    throw badInput('The server is on another machine, where this folder means nothing. Say --space <id or name>.')
  const folder = realFolder(resolve(cli.world.cwd, wanted ?? '.'))
  const known = spaces.find((space) => folder === space.folder || folder.startsWith(space.folder + sep))
  if (known) return known
  if (!create) throw new CarrelError('not_found', `No Space is bound to ${folder}. See \`carrel spaces list\`.`)
  const { space } = await carrel.call('spaces.create', { workspace, folder })
  cli.term.note(cli.term.asideColor.dim(`New Space ${space.name} for ${space.folder}`))
  return space
}

function isHere(url: string | null): boolean {
  const host = url === null ? '' : new URL(url).hostname
  return host === 'localhost' || host === '[::1]' || host.startsWith('127.')
}

function realFolder(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    throw badInput(`There is no folder ${path}. Make it first, or name another with --space.`, { folder: path })
  }
}

/** The only thing of that name. @throws not_found with the names there are, bad_input when several have it */
function named<T extends { id: string; name: string }>(noun: string, verb: string, all: readonly T[], name: string): T {
  const exact = all.filter((each) => each.name === name)
  const found = exact.length > 0 ? exact : all.filter((each) => each.name.toLowerCase() === name.toLowerCase())
  if (found.length === 1) return found[0] as T
  if (found.length > 1)
    throw badInput(
      `${found.length} have the name ${JSON.stringify(name)}: ${found.map(({ id }) => id).join(', ')}. Say the id.`,
    )
  const names = all.slice(0, 20).map((each) => each.name)
  const hint = names.length > 0 ? `There are: ${names.join(', ')}.` : `See \`carrel ${verb} list\`.`
  throw new CarrelError('not_found', `There is no ${noun} named ${JSON.stringify(name)}. ${hint}`, { name })
}

/** The project that is meant: by id, by name in the Space, else the Space's first. */
export async function projectFor(cli: Cli, way: Reached, wanted: Wanted): Promise<Project> {
  const { workspace } = cli
  if (wanted.project !== undefined && isId(wanted.project, 'prj')) {
    const { projects } = await way.carrel.call('projects.list', { workspace, archived: true })
    const found = projects.find(({ id }) => id === wanted.project)
    if (found) return found
    throw new CarrelError('not_found', `There is no project ${wanted.project}. See \`carrel projects list\`.`)
  }
  const space = await spaceFor(cli, way, wanted.space)
  const { projects } = await way.carrel.call('projects.list', { workspace, space: space.id })
  if (wanted.project !== undefined) return named('project', 'projects', projects, wanted.project)
  return projects[0] ?? (await way.carrel.call('projects.create', { workspace, space: space.id, name: 'Main' }))
}

/** The scope that settings are about: without a word the whole workspace. */
export interface ScopeWanted {
  readonly space?: string
  readonly project?: string
}

export async function scopeFor(
  cli: Cli,
  way: Reached,
  { space, project }: ScopeWanted,
): Promise<{ space?: string; project?: string }> {
  if (project !== undefined) return { project: (await projectFor(cli, way, given({ space, project }))).id }
  if (space !== undefined) return { space: (await spaceFor(cli, way, space)).id }
  return {}
}

/** A new session where it is wanted. */
export async function newSession(cli: Cli, way: Reached, wanted: Wanted): Promise<Session> {
  const project = await projectFor(cli, way, wanted)
  const { agent, name } = wanted
  return way.carrel.call('sessions.create', {
    workspace: cli.workspace,
    project: project.id,
    ...given({ agent, name }),
  })
}

/** The session that changed last in the Space. @throws not_found when there is none */
export async function lastSession(cli: Cli, way: Reached, wanted: Wanted): Promise<Session> {
  const space = await spaceFor(cli, way, wanted.space)
  const { sessions } = await way.carrel.call('sessions.list', { workspace: cli.workspace, space: space.id, limit: 1 })
  if (sessions[0]) return sessions[0]
  throw new CarrelError('not_found', `The Space ${space.name} has no session to continue. Leave --continue out.`)
}

/** Names of Spaces and sessions by id, for tables. */
export async function namesOf(carrel: Carrel, workspace: string): Promise<(id: string) => string> {
  const { spaces, projects, sessions } = await carrel.call('workspaces.get', { workspace, sessions: 500 })
  const names = new Map([...spaces, ...projects, ...sessions].map(({ id, name }) => [id as string, name]))
  return (id) => names.get(id) ?? id
}
