import type { AgentStatus } from '../../src/model/agent.ts'
import type { Session } from '../../src/model/tree.ts'
import type { SessionView } from '../../src/model/view.ts'
import type { WorkspaceView } from '../../src/model/workspace-log.ts'
import { treeOf } from '../data/tree.ts'
import { readOptions } from '../session/agent-options.ts'
import { command } from '../shell/commands.ts'
import { count } from '../ui/format.ts'
import { STATE_WORDS } from '../ui/StateDot.tsx'
import type { Deeds } from './use-deeds.ts'

/** One thing that can be done or gone to. */
export interface Entry {
  /** Where several may have one label. */
  readonly id?: string
  readonly label: string
  readonly keywords?: readonly string[]
  /** Said at the right: a state, a place, a key. */
  readonly note?: string
  readonly keys?: string
  readonly act: () => void
}

export interface Group {
  readonly heading: string
  readonly entries: readonly Entry[]
}

export interface Around {
  readonly workspace: WorkspaceView
  /** The session on the screen. */
  readonly row: Session | undefined
  readonly view: SessionView | undefined
  readonly agents: readonly AgentStatus[]
  readonly workspaces: readonly { readonly id: string; readonly name: string }[]
  readonly archivedShown: boolean
  readonly deeds: Deeds
}

/** Everything a person can do where they are, what is nearest first. */
export function groupsOf(around: Around): Group[] {
  return [
    { heading: 'This session', entries: sessionEntries(around) },
    { heading: 'Agent, mode and settings of it', entries: agentEntries(around) },
    { heading: 'Go to', entries: viewEntries(around) },
    { heading: 'Sessions', entries: goEntries(around) },
    { heading: 'Make', entries: makeEntries(around) },
    { heading: 'Spaces and projects', entries: treeEntries(around) },
    { heading: 'This page', entries: pageEntries(around) },
  ].filter(({ entries }) => entries.length > 0)
}

function sessionEntries({ row, view, deeds }: Around): Entry[] {
  if (!row) return []
  const thing = { noun: 'session', id: row.id, name: row.name } as const
  const run = view?.run
  const panel = command('panel')
  const find = command('find')
  return [
    ...(run && !run.cancelling
      ? [{ label: 'Stop the run', keywords: ['cancel', 'interrupt'], act: () => deeds.stop(row, run.id) }]
      : []),
    ...(view && view.queue.length > 0
      ? [
          {
            label: `Take back ${count(view.queue.length, 'waiting prompt')}`,
            keywords: ['cancel', 'queue', 'withdraw'],
            act: () =>
              deeds.withdraw(
                row,
                view.queue.map(({ prompt }) => prompt),
              ),
          },
        ]
      : []),
    { label: 'Rename session ...', act: () => deeds.over({ kind: 'rename', ...thing }) },
    { label: 'Fork session', keywords: ['copy', 'branch'], act: () => deeds.fork(row, view?.seq ?? row.head) },
    ...(find ? [{ label: 'Find in this session', keywords: ['search', 'text'], act: find }] : []),
    ...(panel ? [{ label: 'Show or hide the runs', keywords: ['panel', 'toggle'], act: panel }] : []),
    { label: 'Search in this session ...', keywords: ['find'], act: () => deeds.search('', row.id) },
    { label: 'Copy link to session', keywords: ['permalink', 'share'], act: () => deeds.copyLink(row.id) },
    ...(row.state === 'closed'
      ? []
      : [
          {
            label: 'Close session',
            keywords: ['end'],
            note: 'ends its run and its agents',
            act: () => deeds.close(row),
          },
        ]),
    row.archivedAt === null
      ? { label: 'Archive session', keywords: ['hide'], act: () => deeds.archive(thing) }
      : { label: 'Bring back session', keywords: ['archive', 'restore'], act: () => deeds.bringBack(thing) },
    { label: 'Delete session ...', keywords: ['remove'], act: () => deeds.over({ kind: 'delete', ...thing }) },
  ]
}

function agentEntries({ row, view, agents, deeds }: Around): Entry[] {
  if (!row || row.state === 'closed') return []
  const choose = command('agent')
  const current = view?.agent ?? row.agent
  const known = view?.agents[current]
  return [
    ...(choose
      ? agents
          .filter(({ installed }) => installed)
          .map(({ id, name }) => ({
            label: `Agent: ${name}`,
            ...(id === current && { note: 'spoken to last' }),
            act: () => choose(id),
          }))
      : []),
    ...(known?.modes ?? []).map(({ id, name }) => ({
      label: `Mode: ${name}`,
      ...(id === (known?.pending?.mode ?? known?.mode) && { note: 'now' }),
      act: () => deeds.configure(row, current, id, {}),
    })),
    ...readOptions(known?.options ?? [], known?.pending?.options ?? {})
      .filter(({ id }) => id !== 'mode' || !known?.modes.length)
      .flatMap(({ id, name, kind, value, choices }) =>
        choices.map((choice) => ({
          label: kind === 'boolean' ? choice.label : `${name}: ${choice.label}`,
          ...(choice.value === value && { note: 'now' }),
          act: () =>
            deeds.configure(row, current, undefined, {
              [id]: kind === 'boolean' ? choice.value === 'true' : choice.value,
            }),
        })),
      ),
  ]
}

function viewEntries({ workspace, workspaces, deeds }: Around): Entry[] {
  const questions = Object.keys(workspace.interactions).length
  return [
    {
      label: 'Inbox',
      keys: 'g i',
      keywords: ['questions'],
      ...(questions > 0 && { note: `${questions} open` }),
      act: () => deeds.go('/inbox'),
    },
    { label: 'Board', keys: 'g b', keywords: ['columns', 'overview'], act: () => deeds.go('/board') },
    { label: 'Search', keys: '/', keywords: ['find', 'transcripts'], act: () => deeds.search('') },
    ...workspaces
      .filter(({ id }) => id !== workspace.workspace?.id)
      .map(({ id, name }) => ({ label: `Workspace: ${name}`, keywords: [id], act: () => deeds.enter(id) })),
  ]
}

function goEntries({ workspace, row, deeds }: Around): Entry[] {
  return treeOf(workspace)
    .flatMap(({ space, projects }) =>
      projects.flatMap(({ project, sessions }) =>
        sessions.map((session) => ({ session, where: [space.name, project.name, session.agent] })),
      ),
    )
    .filter(({ session }) => session.id !== row?.id)
    .sort((a, b) => b.session.updatedAt - a.session.updatedAt)
    .map(({ session, where }) => ({
      id: session.id,
      label: session.name,
      keywords: ['session', ...where, STATE_WORDS[session.state]],
      note: `${where[0]} · ${STATE_WORDS[session.state]}`,
      act: () => deeds.goSession(session.id),
    }))
}

function makeEntries({ workspace, row, deeds }: Around): Entry[] {
  const projects = treeOf(workspace).flatMap(({ space, projects: own }) =>
    own.map(({ project }) => ({ space, project })),
  )
  const here = projects.find(({ project }) => project.id === row?.project) ?? projects[0]
  return [
    ...projects
      .toSorted((a, b) => Number(b === here) - Number(a === here))
      .map(({ space, project }) => ({
        id: project.id,
        label: `New session in ${project.name}`,
        keywords: [space.name, 'create'],
        note: space.name,
        ...(project === here?.project && { keys: 'n' }),
        act: () => deeds.create(project.id),
      })),
    { label: 'Add a Space ...', keywords: ['folder', 'new', 'create'], act: () => deeds.go('/add') },
  ]
}

function treeEntries({ workspace, deeds }: Around): Entry[] {
  return treeOf(workspace).flatMap(({ space, projects }) => {
    const things = [
      { noun: 'space', id: space.id, name: space.name } as const,
      ...projects.map(({ project }) => ({ noun: 'project', id: project.id, name: project.name }) as const),
    ]
    const newest = projects.flatMap(({ sessions }) => sessions).sort((a, b) => b.updatedAt - a.updatedAt)[0]
    return [
      ...(newest
        ? [{ id: `go ${space.id}`, label: `Go to Space ${space.name}`, act: (): void => deeds.goSession(newest.id) }]
        : []),
      {
        id: `project ${space.id}`,
        label: `New project in ${space.name} ...`,
        act: (): void => deeds.over({ kind: 'project', space: space.id, name: space.name }),
      },
      ...things.flatMap((thing) => [
        {
          id: `rename ${thing.id}`,
          note: space.name,
          label: `Rename ${thing.noun} ${thing.name} ...`,
          act: (): void => deeds.over({ kind: 'rename', ...thing }),
        },
        {
          id: `archive ${thing.id}`,
          note: space.name,
          label: `Archive ${thing.noun} ${thing.name}`,
          keywords: ['hide'],
          act: (): void => deeds.archive(thing),
        },
        {
          id: `delete ${thing.id}`,
          note: space.name,
          label: `Delete ${thing.noun} ${thing.name} ...`,
          act: (): void => deeds.over({ kind: 'delete', ...thing }),
        },
      ]),
    ]
  })
}

function pageEntries({ archivedShown, deeds }: Around): Entry[] {
  return [
    {
      label: 'Theme: as the system',
      keywords: ['dark', 'light', 'colour'],
      act: (): void => deeds.prefer({ theme: 'system' }),
    },
    { label: 'Theme: light', act: (): void => deeds.prefer({ theme: 'light' }) },
    { label: 'Theme: dark', act: (): void => deeds.prefer({ theme: 'dark' }) },
    { label: 'Density: comfortable', act: (): void => deeds.prefer({ density: 'comfortable' }) },
    { label: 'Density: compact', act: (): void => deeds.prefer({ density: 'compact' }) },
    { label: 'Settings ...', keywords: ['notifications', 'sound'], act: (): void => deeds.over({ kind: 'settings' }) },
    {
      label: 'Keyboard ...',
      keys: '?',
      keywords: ['shortcuts', 'help'],
      act: (): void => deeds.over({ kind: 'keys' }),
    },
    { label: archivedShown ? 'Hide archived' : 'Show archived', act: deeds.toggleArchived },
    { label: 'Log out', keywords: ['leave'], note: 'of this browser', act: deeds.logOut },
  ]
}
