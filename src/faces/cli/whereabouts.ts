import { realpathSync } from 'node:fs'
import { resolve, sep } from 'node:path'
import { allPages } from '../../client/all-pages.ts'
import { CarrelError } from '../../model/errors.ts'
import type { Interaction } from '../../model/interaction.ts'
import type { Project, Session, Space } from '../../model/tree.ts'
import { given } from './arguments.ts'
import type { OpenCli } from './cli.ts'
import { badInput } from './problem.ts'

/** Options that name the Space, project and agent of a command. */
export interface Whereabouts {
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
 * Finds a Space by id, name or folder; default: the current folder. Creates a Space for a folder that has none.
 * @throws not_found for an unknown name, bad_input for a folder that cannot be a Space
 */
export async function spaceFor(
  cli: OpenCli,
  wanted: string | undefined,
  { create }: { readonly create: boolean } = { create: true },
): Promise<Space> {
  const { carrel, workspace } = cli
  if (wanted !== undefined && isId(wanted, 'spc')) {
    const all = await carrel.call('spaces.list', { workspace, archived: true })
    const found = all.spaces.find(({ id }) => id === wanted)
    if (found) return found
    throw new CarrelError('not_found', `There is no Space ${wanted}. See \`carrel spaces list\`.`, { id: wanted })
  }
  const { spaces } = await carrel.call('spaces.list', { workspace })
  if (wanted !== undefined && !looksLikePath(wanted)) return named('Space', 'spaces', spaces, wanted)
  if (wanted === undefined && cli.how === 'named' && !isHere(cli.url))
    throw badInput('The server is on another machine and does not know this folder. Use --space <id or name>.')
  const folder = realFolder(resolve(cli.world.cwd, wanted ?? '.'))
  const around = spaces.filter((space) => folder === space.folder || folder.startsWith(space.folder + sep))
  // Another machine may have a folder of the same name.
  const here = around.length === 0 ? null : (await carrel.call('machines.list', {})).machines.find((each) => each.here)
  const known = around.find(({ machine }) => machine === here?.id) ?? around.find(({ machine }) => machine === null)
  if (known) return known
  if (!create) throw new CarrelError('not_found', `No Space uses the folder ${folder}. See \`carrel spaces list\`.`)
  const made = await carrel.call('spaces.create', { workspace, folder }).catch(async (thrown) => {
    // Another command may have made it since the list was read; the database allows one.
    const now = (await carrel.call('spaces.list', { workspace })).spaces.find((space) => space.folder === folder)
    if (now) return { space: now, known: true }
    throw thrown
  })
  const { space } = made
  if ('known' in made) return space
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
    throw badInput(`The folder ${path} does not exist. Create it, or name another with --space.`, { folder: path })
  }
}

/** Finds the only thing with a name. @throws not_found with the existing names, bad_input for an ambiguous name */
function named<T extends { id: string; name: string }>(noun: string, verb: string, all: readonly T[], name: string): T {
  const exact = all.filter((each) => each.name === name)
  const found = exact.length > 0 ? exact : all.filter((each) => each.name.toLowerCase() === name.toLowerCase())
  if (found.length === 1) return found[0] as T
  if (found.length > 1)
    throw badInput(`The name ${JSON.stringify(name)} is ambiguous: ${found.map(({ id }) => id).join(', ')}. Use an id.`)
  const names = all.slice(0, 20).map((each) => each.name)
  const hint = names.length > 0 ? `Existing names: ${names.join(', ')}.` : `See \`carrel ${verb} list\`.`
  throw new CarrelError('not_found', `No ${noun} has the name ${JSON.stringify(name)}. ${hint}`, { name })
}

/** Finds a project by id, or by name in the Space; default: the first project of the Space. */
export async function projectFor(cli: OpenCli, wanted: Whereabouts): Promise<Project> {
  const { workspace } = cli
  if (wanted.project !== undefined && isId(wanted.project, 'prj')) {
    const { projects } = await cli.carrel.call('projects.list', { workspace, archived: true })
    const found = projects.find(({ id }) => id === wanted.project)
    if (found) return found
    throw new CarrelError('not_found', `There is no project ${wanted.project}. See \`carrel projects list\`.`)
  }
  const space = await spaceFor(cli, wanted.space)
  const { projects } = await cli.carrel.call('projects.list', { workspace, space: space.id })
  if (wanted.project !== undefined) return named('project', 'projects', projects, wanted.project)
  return projects[0] ?? (await cli.carrel.call('projects.create', { workspace, space: space.id, name: 'Main' }))
}

/** Options that name a Space, a project, or by default the workspace. */
export interface ScopeOptions {
  readonly space?: string
  readonly project?: string
}

export async function scopeFor(
  cli: OpenCli,
  { space, project }: ScopeOptions,
): Promise<{ space?: string; project?: string }> {
  if (project !== undefined) return { project: (await projectFor(cli, given({ space, project }))).id }
  if (space !== undefined) return { space: (await spaceFor(cli, space)).id }
  return {}
}

export async function newSession(cli: OpenCli, wanted: Whereabouts): Promise<Session> {
  const project = await projectFor(cli, wanted)
  const { agent, name } = wanted
  return cli.carrel.call('sessions.create', {
    workspace: cli.workspace,
    project: project.id,
    ...given({ agent, name }),
  })
}

/** Returns the last changed session of the Space. @throws not_found when the Space has none */
export async function lastSession(cli: OpenCli, wanted: Whereabouts): Promise<Session> {
  const space = await spaceFor(cli, wanted.space)
  const { sessions } = await cli.carrel.call('sessions.list', {
    workspace: cli.workspace,
    space: space.id,
    limit: 1,
  })
  if (sessions[0]) return sessions[0]
  throw new CarrelError('not_found', `The Space ${space.name} has no session to continue. Omit --continue.`)
}

/** Returns all sessions that are not archived, last changed first. */
export async function allSessions({ carrel, workspace }: OpenCli): Promise<Session[]> {
  const pages = await allPages((page) => carrel.call('sessions.list', { workspace, ...page }))
  return pages.flatMap(({ sessions }) => sessions)
}

/** Returns all open questions, oldest first. */
export async function openQuestions({ carrel, workspace }: OpenCli): Promise<Interaction[]> {
  const pages = await allPages((page) => carrel.call('interactions.list', { workspace, state: 'open', ...page }))
  return pages.flatMap(({ interactions }) => interactions)
}

/** Returns a function from ids of Spaces, projects and sessions to their names, for tables; of older sessions the id stays. */
export async function namesOf({ carrel, workspace }: OpenCli): Promise<(id: string) => string> {
  const { spaces, projects, sessions } = await carrel.call('workspaces.get', { workspace, sessions: 500 })
  const names = new Map([...spaces, ...projects, ...sessions].map(({ id, name }) => [id as string, name]))
  return (id) => names.get(id) ?? id
}
