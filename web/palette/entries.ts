import type { AgentStatus } from '../../src/model/agent.ts'
import type { SessionView } from '../../src/model/events/view.ts'
import type { WorkspaceView } from '../../src/model/events/workspace-log.ts'
import type { Session } from '../../src/model/tree.ts'
import { command } from '../data/commands.ts'
import { treeOf } from '../data/tree.ts'
import { readOptions } from '../session/composer/agent-options.ts'
import { texts } from '../texts/texts.ts'
import { fileEntries } from './file-entries.ts'
import type { PaletteCommands } from './use-commands.ts'

/** One entry of the palette: a command or a destination. */
export interface PaletteEntry {
  /** Needed where several entries have the same label. */
  readonly id?: string
  readonly label: string
  readonly keywords?: readonly string[]
  /** Shown at the right: a state, a location or a key. */
  readonly note?: string
  readonly keys?: string
  readonly act: () => void
}

export interface Group {
  readonly heading: string
  readonly entries: readonly PaletteEntry[]
}

export interface PaletteContext {
  readonly workspace: WorkspaceView
  /** The session on the screen. */
  readonly row: Session | undefined
  readonly view: SessionView | undefined
  readonly agents: readonly AgentStatus[]
  readonly workspaces: readonly { readonly id: string; readonly name: string }[]
  readonly archivedShown: boolean
  readonly commands: PaletteCommands
}

/** Returns the entries that are possible in this view, the most specific groups first. */
export function groupsOf(context: PaletteContext): Group[] {
  const heading = texts.palette.groups
  return [
    { heading: heading.session, entries: sessionEntries(context) },
    { heading: heading.files, entries: fileEntries(context) },
    { heading: heading.agent, entries: agentEntries(context) },
    { heading: heading.views, entries: viewEntries(context) },
    { heading: heading.sessions, entries: goEntries(context) },
    { heading: heading.make, entries: makeEntries(context) },
    { heading: heading.tree, entries: treeEntries(context) },
    { heading: heading.page, entries: pageEntries(context) },
  ].filter(({ entries }) => entries.length > 0)
}

function sessionEntries({ row, view, commands }: PaletteContext): PaletteEntry[] {
  if (!row) return []
  const thing = { noun: 'session', id: row.id, name: row.name } as const
  const run = view?.run
  const prompts = (view?.queue ?? []).map(({ prompt }) => prompt)
  const panel = command('panel')
  const find = command('find')
  const labels = texts.palette.session
  return [
    ...(run && !run.cancelling ? [{ ...labels.stop, act: () => commands.stop(row, run.id) }] : []),
    ...(prompts.length > 0
      ? [
          {
            label: labels.withdraw(prompts.length),
            keywords: labels.withdrawKeywords,
            act: () => commands.withdraw(row, prompts),
          },
        ]
      : []),
    { ...labels.rename, act: () => commands.over({ kind: 'rename', ...thing }) },
    { ...labels.fork, act: () => commands.fork(row, view?.seq ?? row.head) },
    ...(find ? [{ ...labels.find, act: find }] : []),
    ...(panel ? [{ ...labels.panel, act: panel }] : []),
    { ...labels.search, act: () => commands.search('', row.id) },
    { ...labels.copyLink, act: () => commands.copyLink(row.id) },
    ...(row.state === 'closed' ? [] : [{ ...labels.close, act: () => commands.close(row) }]),
    row.archivedAt === null
      ? { ...labels.archive, act: () => commands.archive(thing) }
      : { ...labels.unarchive, act: () => commands.unarchive(thing) },
    { ...labels.delete, act: () => commands.over({ kind: 'delete', ...thing }) },
  ]
}

function agentEntries({ row, view, agents, commands }: PaletteContext): PaletteEntry[] {
  if (!row || row.state === 'closed') return []
  const choose = command('agent')
  const current = view?.agent ?? row.agent
  const known = view?.agents[current]
  const labels = texts.palette.agent
  return [
    ...(choose
      ? agents
          .filter(({ installed }) => installed)
          .map(({ id, name }) => ({
            label: labels.agent(name),
            ...(id === current && { note: labels.last }),
            act: () => choose(id),
          }))
      : []),
    ...(known?.modes ?? []).map(({ id, name }) => ({
      label: labels.mode(name),
      ...(id === (known?.pending?.mode ?? known?.mode) && { note: labels.now }),
      act: () => commands.configure(row, { agent: current, mode: id }),
    })),
    ...readOptions(known?.options ?? [], known?.pending?.options ?? {})
      .filter(({ id }) => id !== 'mode' || !known?.modes.length)
      .flatMap(({ id, name, kind, value, choices }) =>
        choices.map((choice) => ({
          label: kind === 'boolean' ? choice.label : `${name}: ${choice.label}`,
          ...(choice.value === value && { note: labels.now }),
          act: () =>
            commands.configure(row, {
              agent: current,
              options: { [id]: kind === 'boolean' ? choice.value === 'true' : choice.value },
            }),
        })),
      ),
  ]
}

function viewEntries({ workspace, workspaces, commands }: PaletteContext): PaletteEntry[] {
  const questions = Object.keys(workspace.interactions).length
  const labels = texts.palette.views
  return [
    {
      ...labels.inbox,
      keys: 'g i',
      ...(questions > 0 && { note: labels.open(questions) }),
      act: () => commands.go('/inbox'),
    },
    { ...labels.inboxHere, keys: 'i', act: () => commands.over({ kind: 'inbox' }) },
    { ...labels.board, keys: 'g b', act: () => commands.go('/board') },
    { ...labels.history, keys: 'g h', act: () => commands.go('/history') },
    { ...labels.search, keys: '/', act: () => commands.search('') },
    ...workspaces
      .filter(({ id }) => id !== workspace.workspace?.id)
      .map(({ id, name }) => ({ label: labels.workspace(name), keywords: [id], act: () => commands.enter(id) })),
  ]
}

function goEntries({ workspace, row, commands }: PaletteContext): PaletteEntry[] {
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
      act: () => commands.goSession(session.id),
    }))
}

function makeEntries({ workspace, row, commands }: PaletteContext): PaletteEntry[] {
  const projects = treeOf(workspace).flatMap(({ space, projects: own }) =>
    own.map(({ project }) => ({ space, project })),
  )
  const here = projects.find(({ project }) => project.id === row?.project) ?? projects[0]
  const labels = texts.palette.make
  return [
    ...projects
      .toSorted((a, b) => Number(b === here) - Number(a === here))
      .map(({ space, project }) => ({
        id: project.id,
        label: labels.session(project.name),
        keywords: [space.name, labels.sessionKeyword],
        note: space.name,
        ...(project === here?.project && { keys: 'n' }),
        act: () => commands.create(project.id),
      })),
    { ...labels.space, act: () => commands.go('/add') },
  ]
}

function treeEntries({ workspace, commands }: PaletteContext): PaletteEntry[] {
  const labels = texts.palette.tree
  return treeOf(workspace).flatMap(({ space, projects }) => {
    const things = [
      { noun: 'space', id: space.id, name: space.name } as const,
      ...projects.map(({ project }) => ({ noun: 'project', id: project.id, name: project.name }) as const),
    ]
    const newest = projects.flatMap(({ sessions }) => sessions).sort((a, b) => b.updatedAt - a.updatedAt)[0]
    return [
      ...(newest
        ? [{ id: `go ${space.id}`, label: labels.go(space.name), act: (): void => commands.goSession(newest.id) }]
        : []),
      {
        id: `project ${space.id}`,
        label: labels.newProject(space.name),
        act: (): void => commands.over({ kind: 'project', space: space.id, name: space.name }),
      },
      {
        id: `rules ${space.id}`,
        label: labels.fileRules(space.name),
        keywords: labels.fileRulesKeywords,
        act: (): void => commands.over({ kind: 'file-rules', space: space.id, name: space.name }),
      },
      ...things.flatMap((thing) => [
        {
          id: `rename ${thing.id}`,
          note: space.name,
          label: labels.rename(thing.noun, thing.name),
          act: (): void => commands.over({ kind: 'rename', ...thing }),
        },
        {
          id: `archive ${thing.id}`,
          note: space.name,
          label: labels.archive(thing.noun, thing.name),
          keywords: labels.archiveKeywords,
          act: (): void => commands.archive(thing),
        },
        {
          id: `delete ${thing.id}`,
          note: space.name,
          label: labels.delete(thing.noun, thing.name),
          act: (): void => commands.over({ kind: 'delete', ...thing }),
        },
      ]),
    ]
  })
}

function pageEntries({ archivedShown, commands }: PaletteContext): PaletteEntry[] {
  const labels = texts.palette.page
  return [
    { ...labels.themeSystem, act: (): void => commands.prefer({ theme: 'system' }) },
    { ...labels.themeLight, act: (): void => commands.prefer({ theme: 'light' }) },
    { ...labels.themeDark, act: (): void => commands.prefer({ theme: 'dark' }) },
    { ...labels.densityComfortable, act: (): void => commands.prefer({ density: 'comfortable' }) },
    { ...labels.densityCompact, act: (): void => commands.prefer({ density: 'compact' }) },
    { ...labels.rules, act: (): void => commands.over({ kind: 'rules' }) },
    { ...labels.secrets, act: (): void => commands.over({ kind: 'secrets' }) },
    { ...labels.environment, act: (): void => commands.over({ kind: 'environment' }) },
    { ...labels.settings, act: (): void => commands.over({ kind: 'settings' }) },
    { ...labels.keys, keys: '?', act: (): void => commands.over({ kind: 'keys' }) },
    { ...(archivedShown ? labels.hideArchived : labels.showArchived), act: commands.toggleArchived },
    { ...labels.logOut, act: commands.logOut },
  ]
}
