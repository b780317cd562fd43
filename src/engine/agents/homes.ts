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
import type { Home } from '../../model/environment.ts'
import type { HomeNote } from '../../model/homes.ts'
import type { ProjectId, RunId, SessionId, SpaceId, WorkspaceId } from '../../model/ids.ts'
import { isPresent } from '../../primitives/absent-as-null.ts'
import type { Branch, Store } from '../../store/store.ts'
import type { Log } from '../log.ts'
import type { Logins } from './logins.ts'

/** Homes that Carrel keeps for agents. Each goes with its owner: a run, a session, a Space or a Workspace. */
export interface Homes {
  pathOf(note: HomeNote): string
  /** Those that go with a part of the tree: what a preview names. */
  within(workspace: WorkspaceId, what: Branch): Promise<HomeNote[]>
  /** Takes them away, in the background: ends what lives there and brings its login back first. */
  remove(notes: readonly HomeNote[]): void
  /** A run is over, and with it the home that it may have had. */
  runEnded(run: { readonly id: RunId; readonly agent: string }, at: Pick<Where, 'workspace'>): void
  /** Takes away what an earlier life left of owners that are gone. */
  sweep(): void
  /** Waits for what is being taken away. */
  close(): Promise<void>
}

/** Where a run is. */
export interface Where {
  readonly workspace: WorkspaceId
  readonly space: SpaceId
  readonly project: ProjectId
  readonly session: SessionId
  readonly run: RunId
}

export const homesFolder = (dataFolder: string): string => join(dataFolder, 'homes')

/** The home that a run has of Carrel's; null for the person's. An agent that cannot share one has one for each session at least. */
export function homeFor(recipe: AgentRecipe, wanted: Home, at: Where): HomeNote | null {
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

/** What a process needs before it starts in a home of Carrel's. */
export const readyHome = (dataFolder: string, note: HomeNote, person: Person): Promise<void> =>
  makeHome(homesFolder(dataFolder), note, person)

interface Parts {
  readonly dataFolder: string
  readonly store: Store
  readonly logins: Logins
  readonly recipes: readonly AgentRecipe[]
  /** Ends all processes that have this home. */
  readonly letGo: (home: string) => Promise<void>
  readonly log: Pick<Log, 'warn'>
}

export function createHomes({ dataFolder, store, logins, recipes, letGo, log }: Parts): Homes {
  const folder = homesFolder(dataFolder)
  const under = new Set<Promise<void>>()
  const beside = (act: () => Promise<void>) => {
    const task = act()
      .catch((thrown) => log.warn('A home of an agent could not be taken away; the next start does it.', thrown))
      .finally(() => under.delete(task))
    under.add(task)
  }
  const take = async (note: HomeNote) => {
    const path = homePath(folder, note)
    await letGo(path)
    const recipe = recipes.find(({ id }) => id === note.agent)
    const gone = () => removeHome(folder, note)
    await (recipe ? logins.retire(recipe, path, gone) : gone())
  }
  const remove: Homes['remove'] = (notes) => {
    for (const note of notes) beside(() => take(note))
  }
  return {
    pathOf: (note) => homePath(folder, note),
    within: async (workspace, what) =>
      (await listHomes(folder)).filter((note) => note.workspace === workspace && goesWith(note, what)),
    remove,
    runEnded({ id, agent }, { workspace }) {
      const note: HomeNote = { kind: 'run', agent, workspace, space: null, project: null, session: null, run: id }
      beside(async () => {
        if (isPresent(homePath(folder, note))) await take(note)
      })
    },
    sweep: () =>
      beside(async () => {
        await adoptHomes(store, folder)
        for (const note of await listHomes(folder)) if (!(await hasOwner(store, note))) await take(note)
      }),
    close: async () => void (await Promise.all(under)),
  }
}

function goesWith(note: HomeNote, what: Branch): boolean {
  if ('session' in what) return note.session === what.session
  if ('project' in what) return note.project === what.project
  return 'space' in what ? note.space === what.space : true
}

/** What has no owner that is there is nobody's. */
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

const PAGE = 200

/**
 * Writes down whose the homes of earlier versions are, so that they too go with their sessions. One whose session is
 * gone stays as it is: nobody can tell whose it was.
 */
async function adoptHomes({ tree }: Store, folder: string): Promise<void> {
  const unnoted = new Set(await listUnnoted(folder))
  if (unnoted.size === 0) return
  const agents = [...new Set([...unnoted].map(agentOfHome))]
  for (const { id: workspace } of await tree.workspaces()) {
    let cursor: string | null = null
    do {
      const page: Awaited<ReturnType<typeof tree.sessions>> = await tree.sessions(
        workspace,
        {},
        { cursor, limit: PAGE },
      )
      for (const { id: session, space, project } of page.rows) {
        for (const agent of agents) {
          const note: HomeNote = { kind: 'session', agent, workspace, space, project, session, run: null }
          if (unnoted.delete(homePath(folder, note))) await noteHome(folder, note)
        }
      }
      cursor = page.cursor
    } while (cursor !== null && unnoted.size > 0)
  }
}
