import type { AgentStatus } from '../../src/model/agent.ts'
import type { Session } from '../../src/model/tree.ts'
import type { SessionView } from '../../src/model/view.ts'
import type { WorkspaceView } from '../../src/model/workspace-log.ts'
import { treeOf } from '../data/tree.ts'
import { readOptions } from '../session/agent-options.ts'
import { command } from '../shell/commands.ts'
import { texts } from '../texts/texts.ts'
import { fileEntries } from './file-entries.ts'
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
  const heading = texts.palette.groups
  return [
    { heading: heading.session, entries: sessionEntries(around) },
    { heading: heading.files, entries: fileEntries(around) },
    { heading: heading.agent, entries: agentEntries(around) },
    { heading: heading.views, entries: viewEntries(around) },
    { heading: heading.sessions, entries: goEntries(around) },
    { heading: heading.make, entries: makeEntries(around) },
    { heading: heading.tree, entries: treeEntries(around) },
    { heading: heading.page, entries: pageEntries(around) },
  ].filter(({ entries }) => entries.length > 0)
}

function sessionEntries({ row, view, deeds }: Around): Entry[] {
  if (!row) return []
  const thing = { noun: 'session', id: row.id, name: row.name } as const
  const run = view?.run
  const panel = command('panel')
  const find = command('find')
  const words = texts.palette.session
  return [
    ...(run && !run.cancelling ? [{ ...words.stop, act: () => deeds.stop(row, run.id) }] : []),
    ...(view && view.queue.length > 0
      ? [
          {
            label: words.withdraw(view.queue.length),
            keywords: words.withdrawKeywords,
            act: () =>
              deeds.withdraw(
                row,
                view.queue.map(({ prompt }) => prompt),
              ),
          },
        ]
      : []),
    { ...words.rename, act: () => deeds.over({ kind: 'rename', ...thing }) },
    { ...words.fork, act: () => deeds.fork(row, view?.seq ?? row.head) },
    ...(find ? [{ ...words.find, act: find }] : []),
    ...(panel ? [{ ...words.panel, act: panel }] : []),
    { ...words.search, act: () => deeds.search('', row.id) },
    { ...words.copyLink, act: () => deeds.copyLink(row.id) },
    ...(row.state === 'closed' ? [] : [{ ...words.close, act: () => deeds.close(row) }]),
    row.archivedAt === null
      ? { ...words.archive, act: () => deeds.archive(thing) }
      : { ...words.bringBack, act: () => deeds.bringBack(thing) },
    { ...words.delete, act: () => deeds.over({ kind: 'delete', ...thing }) },
  ]
}

function agentEntries({ row, view, agents, deeds }: Around): Entry[] {
  if (!row || row.state === 'closed') return []
  const choose = command('agent')
  const current = view?.agent ?? row.agent
  const known = view?.agents[current]
  const words = texts.palette.agent
  return [
    ...(choose
      ? agents
          .filter(({ installed }) => installed)
          .map(({ id, name }) => ({
            label: words.agent(name),
            ...(id === current && { note: words.last }),
            act: () => choose(id),
          }))
      : []),
    ...(known?.modes ?? []).map(({ id, name }) => ({
      label: words.mode(name),
      ...(id === (known?.pending?.mode ?? known?.mode) && { note: words.now }),
      act: () => deeds.configure(row, current, id, {}),
    })),
    ...readOptions(known?.options ?? [], known?.pending?.options ?? {})
      .filter(({ id }) => id !== 'mode' || !known?.modes.length)
      .flatMap(({ id, name, kind, value, choices }) =>
        choices.map((choice) => ({
          label: kind === 'boolean' ? choice.label : `${name}: ${choice.label}`,
          ...(choice.value === value && { note: words.now }),
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
  const words = texts.palette.views
  return [
    {
      ...words.inbox,
      keys: 'g i',
      ...(questions > 0 && { note: words.open(questions) }),
      act: () => deeds.go('/inbox'),
    },
    { ...words.inboxHere, keys: 'i', act: () => deeds.over({ kind: 'inbox' }) },
    { ...words.board, keys: 'g b', act: () => deeds.go('/board') },
    { ...words.history, keys: 'g h', act: () => deeds.go('/history') },
    { ...words.search, keys: '/', act: () => deeds.search('') },
    ...workspaces
      .filter(({ id }) => id !== workspace.workspace?.id)
      .map(({ id, name }) => ({ label: words.workspace(name), keywords: [id], act: () => deeds.enter(id) })),
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
      keywords: [texts.palette.sessions.keyword, ...where, texts.ui.states[session.state]],
      note: `${where[0]} · ${texts.ui.states[session.state]}`,
      act: () => deeds.goSession(session.id),
    }))
}

function makeEntries({ workspace, row, deeds }: Around): Entry[] {
  const projects = treeOf(workspace).flatMap(({ space, projects: own }) =>
    own.map(({ project }) => ({ space, project })),
  )
  const here = projects.find(({ project }) => project.id === row?.project) ?? projects[0]
  const words = texts.palette.make
  return [
    ...projects
      .toSorted((a, b) => Number(b === here) - Number(a === here))
      .map(({ space, project }) => ({
        id: project.id,
        label: words.session(project.name),
        keywords: [space.name, words.sessionKeyword],
        note: space.name,
        ...(project === here?.project && { keys: 'n' }),
        act: () => deeds.create(project.id),
      })),
    { ...words.space, act: () => deeds.go('/add') },
  ]
}

function treeEntries({ workspace, deeds }: Around): Entry[] {
  const words = texts.palette.tree
  return treeOf(workspace).flatMap(({ space, projects }) => {
    const things = [
      { noun: 'space', id: space.id, name: space.name } as const,
      ...projects.map(({ project }) => ({ noun: 'project', id: project.id, name: project.name }) as const),
    ]
    const newest = projects.flatMap(({ sessions }) => sessions).sort((a, b) => b.updatedAt - a.updatedAt)[0]
    return [
      ...(newest
        ? [{ id: `go ${space.id}`, label: words.go(space.name), act: (): void => deeds.goSession(newest.id) }]
        : []),
      {
        id: `project ${space.id}`,
        label: words.newProject(space.name),
        act: (): void => deeds.over({ kind: 'project', space: space.id, name: space.name }),
      },
      {
        id: `rules ${space.id}`,
        label: words.fileRules(space.name),
        keywords: words.fileRulesKeywords,
        act: (): void => deeds.over({ kind: 'file-rules', space: space.id, name: space.name }),
      },
      ...things.flatMap((thing) => [
        {
          id: `rename ${thing.id}`,
          note: space.name,
          label: words.rename(thing.noun, thing.name),
          act: (): void => deeds.over({ kind: 'rename', ...thing }),
        },
        {
          id: `archive ${thing.id}`,
          note: space.name,
          label: words.archive(thing.noun, thing.name),
          keywords: words.archiveKeywords,
          act: (): void => deeds.archive(thing),
        },
        {
          id: `delete ${thing.id}`,
          note: space.name,
          label: words.delete(thing.noun, thing.name),
          act: (): void => deeds.over({ kind: 'delete', ...thing }),
        },
      ]),
    ]
  })
}

function pageEntries({ archivedShown, deeds }: Around): Entry[] {
  const words = texts.palette.page
  return [
    { ...words.themeSystem, act: (): void => deeds.prefer({ theme: 'system' }) },
    { ...words.themeLight, act: (): void => deeds.prefer({ theme: 'light' }) },
    { ...words.themeDark, act: (): void => deeds.prefer({ theme: 'dark' }) },
    { ...words.densityComfortable, act: (): void => deeds.prefer({ density: 'comfortable' }) },
    { ...words.densityCompact, act: (): void => deeds.prefer({ density: 'compact' }) },
    { ...words.rules, act: (): void => deeds.over({ kind: 'rules' }) },
    { ...words.secrets, act: (): void => deeds.over({ kind: 'secrets' }) },
    { ...words.environment, act: (): void => deeds.over({ kind: 'environment' }) },
    { ...words.settings, act: (): void => deeds.over({ kind: 'settings' }) },
    { ...words.keys, keys: '?', act: (): void => deeds.over({ kind: 'keys' }) },
    { ...(archivedShown ? words.hideArchived : words.showArchived), act: deeds.toggleArchived },
    { ...words.logOut, act: deeds.logOut },
  ]
}
