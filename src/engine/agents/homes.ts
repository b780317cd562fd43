import { join } from 'node:path'
import {
  agentOfHome,
  homePath,
  listHomes,
  listUnnoted,
  makeHome,
  noteHome,
  type Person,
  removeHome,
} from '../../host/identity/homes.ts'
import type { AgentRecipe } from '../../model/agent.ts'
import type { ProjectId, RunId, SessionId, SpaceId, WorkspaceId } from '../../model/ids.ts'
import type { Home } from '../../model/settings/environment.ts'
import type { HomeNote } from '../../model/settings/homes.ts'
import { isPresent } from '../../primitives/absent-as-null.ts'
import type { Branch, Store } from '../../store/store.ts'
import type { Log } from '../log.ts'
import { allRows } from '../pages.ts'
import type { Logins } from './logins.ts'

/** Homes that Carrel keeps for agents. Each is removed with its owner: a run, a session, a Space or a Workspace. */
export interface Homes {
  pathOf(note: HomeNote): string
  /** Lists the homes that are removed with a branch of the tree, for a preview. */
  within(workspace: WorkspaceId, branch: Branch): Promise<HomeNote[]>
  /** Removes homes in the background: ends their processes and brings their logins back before. */
  remove(notes: readonly HomeNote[]): void
  /** Removes the home of a run that has ended, if it had one. */
  runEnded(run: { readonly id: RunId; readonly agent: string }, at: Pick<RunPath, 'workspace'>): void
  /** Removes, in the background, the homes of owners that no longer exist. */
  sweep(): void
  close(): Promise<void>
}

export interface RunPath {
  readonly workspace: WorkspaceId
  readonly space: SpaceId
  readonly project: ProjectId
  readonly session: SessionId
  readonly run: RunId
}

const homesFolder = (dataFolder: string): string => join(dataFolder, 'homes')

/**
 * Returns the home that Carrel keeps for a run; null for the person's home. An agent that cannot share the person's gets
 * a home for each session at least.
 */
export function homeFor(recipe: AgentRecipe, wanted: Home, at: RunPath): HomeNote | null {
  const kind = wanted !== 'person' ? wanted : recipe.home === 'own' ? ('session' as const) : null
  if (kind === null) return null
  const { workspace, space, project, session, run } = at
  const none = { space: null, project: null, session: null, run: null }
  const owner = {
    agent: {},
    space: { space },
    session: { space, project, session },
    run: { space, project, session, run },
  }[kind]
  return { kind, agent: recipe.id, workspace, ...none, ...owner }
}

/** Creates a home that Carrel keeps, where it is missing. */
export const readyHome = (dataFolder: string, note: HomeNote, person: Person): Promise<void> =>
  makeHome(homesFolder(dataFolder), note, person)

interface Parts {
  readonly dataFolder: string
  readonly store: Store
  readonly logins: Logins
  readonly recipes: readonly AgentRecipe[]
  readonly endProcesses: (home: string) => Promise<void>
  readonly log: Pick<Log, 'warn'>
}

export function createHomes({ dataFolder, store, logins, recipes, endProcesses, log }: Parts): Homes {
  const folder = homesFolder(dataFolder)
  const removals = new Set<Promise<void>>()
  const inBackground = (work: () => Promise<void>) => {
    const task = work()
      .catch((thrown) => log.warn('A home of an agent could not be removed; the next start tries again.', thrown))
      .finally(() => removals.delete(task))
    removals.add(task)
  }
  const removeOne = async (note: HomeNote) => {
    const path = homePath(folder, note)
    await endProcesses(path)
    const recipe = recipes.find(({ id }) => id === note.agent)
    const unlink = () => removeHome(folder, note)
    await (recipe ? logins.retire(recipe, path, unlink) : unlink())
  }
  const remove: Homes['remove'] = (notes) => {
    for (const note of notes) inBackground(() => removeOne(note))
  }
  return {
    pathOf: (note) => homePath(folder, note),
    within: async (workspace, branch) =>
      (await listHomes(folder)).filter((note) => note.workspace === workspace && belongsTo(note, branch)),
    remove,
    runEnded({ id, agent }, { workspace }) {
      const note: HomeNote = { kind: 'run', agent, workspace, space: null, project: null, session: null, run: id }
      inBackground(async () => {
        if (isPresent(homePath(folder, note))) await removeOne(note)
      })
    },
    sweep: () =>
      inBackground(async () => {
        await adoptHomes(store, folder)
        for (const note of await listHomes(folder)) if (!(await hasOwner(store, note))) await removeOne(note)
      }),
    close: async () => void (await Promise.all(removals)),
  }
}

function belongsTo(note: HomeNote, branch: Branch): boolean {
  if ('session' in branch) return note.session === branch.session
  if ('project' in branch) return note.project === branch.project
  return 'space' in branch ? note.space === branch.space : true
}

/** Whether the owner of a home still exists; for a run, whether it has not ended. */
async function hasOwner({ log, tree }: Store, note: HomeNote): Promise<boolean> {
  const workspace = note.workspace as WorkspaceId
  if (note.run !== null) {
    const found = await log.run(workspace, note.run as RunId)
    return found !== null && found.state !== 'ended'
  }
  if (note.session !== null) return (await tree.session(workspace, note.session as SessionId)) !== null
  if (note.space !== null) return (await tree.space(workspace, note.space as SpaceId)) !== null
  return (await tree.workspace(workspace)) !== null
}

/**
 * Writes owner notes for the homes of earlier versions, so that they too are removed with their sessions. A home whose
 * session is gone stays: its owner cannot be found out.
 */
async function adoptHomes({ tree }: Store, folder: string): Promise<void> {
  const unnoted = new Set(await listUnnoted(folder))
  if (unnoted.size === 0) return
  const agents = [...new Set([...unnoted].map(agentOfHome))]
  for (const { id: workspace } of await tree.workspaces()) {
    for await (const { id: session, space, project } of allRows((page) => tree.sessions(workspace, {}, page))) {
      if (unnoted.size === 0) return
      for (const agent of agents) {
        const note: HomeNote = { kind: 'session', agent, workspace, space, project, session, run: null }
        if (unnoted.delete(homePath(folder, note))) await noteHome(folder, note)
      }
    }
  }
}
