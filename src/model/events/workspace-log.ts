import { z } from 'zod'
import { Millis, ProjectId, RuleId, SessionId, SpaceId, WorkspaceId } from '../ids.ts'
import { Interaction } from '../interaction.ts'
import { Rule } from '../rules.ts'
import { Project, Session, Space, Workspace } from '../tree.ts'

/**
 * Log of a workspace for rail, inbox and webhooks. Each line carries a whole row, so that the last line about a thing is
 * its present state. The transaction that changes the row also writes the line.
 */
const CHANGES = {
  'workspace.changed': z.object({ workspace: Workspace }),
  'space.changed': z.object({ space: Space }),
  'space.deleted': z.object({ id: SpaceId }),
  'project.changed': z.object({ project: Project }),
  'project.deleted': z.object({ id: ProjectId }),
  'session.changed': z.object({ session: Session }),
  'session.deleted': z.object({ id: SessionId }),
  'interaction.changed': z.object({ interaction: Interaction }),
  'rule.changed': z.object({ rule: Rule }),
  'rule.deleted': z.object({ id: RuleId }),
} as const

export type WorkspaceChange = {
  [Type in keyof typeof CHANGES]: { readonly type: Type; readonly data: z.infer<(typeof CHANGES)[Type]> }
}[keyof typeof CHANGES]

export type WorkspaceEvent = WorkspaceChange & {
  readonly workspace: WorkspaceId
  /** 1, 2, 3 and so on within this workspace, without gaps. */
  readonly seq: number
  readonly at: Millis
}

const Envelope = z.looseObject({
  workspace: WorkspaceId,
  seq: z.number().int().min(1),
  at: Millis,
  type: z.string(),
  data: z.unknown(),
})

/** A line as the log stores it and the wire carries it, one shape for each type. */
export const StoredWorkspaceEvent = z.discriminatedUnion(
  'type',
  Object.entries(CHANGES).map(([type, data]) => Envelope.extend({ type: z.literal(type), data })) as unknown as [
    z.ZodObject<{ type: z.ZodLiteral<WorkspaceChange['type']> }>,
  ],
)

/** Parses a line from outside this process; an unknown type passes unchanged. */
export function parseWorkspaceEvent(raw: unknown): WorkspaceEvent {
  const envelope = Envelope.parse(raw)
  const known = Object.hasOwn(CHANGES, envelope.type)
  const shape = known ? (CHANGES[envelope.type as keyof typeof CHANGES] as z.ZodType) : null
  return { ...envelope, data: shape ? shape.parse(envelope.data) : envelope.data } as unknown as WorkspaceEvent
}

/** Content of rail and inbox, by id. */
export interface WorkspaceView {
  readonly seq: number
  readonly workspace: Workspace | null
  readonly spaces: Readonly<Record<string, Space>>
  readonly projects: Readonly<Record<string, Project>>
  readonly sessions: Readonly<Record<string, Session>>
  /** Open interactions only. */
  readonly interactions: Readonly<Record<string, Interaction>>
  readonly rules: Readonly<Record<string, Rule>>
}

export const EMPTY_WORKSPACE: WorkspaceView = {
  seq: 0,
  workspace: null,
  spaces: {},
  projects: {},
  sessions: {},
  interactions: {},
  rules: {},
}

/** Folds one line into the view; a line already in the view is skipped. */
export function foldWorkspace(view: WorkspaceView, event: WorkspaceEvent): WorkspaceView {
  if (event.seq <= view.seq) return view
  const next = { ...view, seq: event.seq }
  switch (event.type) {
    case 'workspace.changed':
      return { ...next, workspace: event.data.workspace }
    case 'space.changed':
      return { ...next, spaces: { ...view.spaces, [event.data.space.id]: event.data.space } }
    case 'space.deleted':
      return withoutSpace(next, event.data.id)
    case 'project.changed':
      return { ...next, projects: { ...view.projects, [event.data.project.id]: event.data.project } }
    case 'project.deleted':
      return withoutProject(next, event.data.id)
    case 'session.changed':
      return { ...next, sessions: { ...view.sessions, [event.data.session.id]: event.data.session } }
    case 'session.deleted':
      return {
        ...next,
        sessions: without(view.sessions, event.data.id),
        interactions: keep(view.interactions, ({ session }) => session !== event.data.id),
      }
    case 'interaction.changed':
      return { ...next, interactions: withOpen(view.interactions, event.data.interaction) }
    case 'rule.changed':
      return { ...next, rules: { ...view.rules, [event.data.rule.id]: event.data.rule } }
    case 'rule.deleted':
      return { ...next, rules: without(view.rules, event.data.id) }
    default:
      return next
  }
}

function without<T>(record: Readonly<Record<string, T>>, id: string): Record<string, T> {
  const { [id]: _, ...rest } = record
  return rest
}

function withOpen(record: WorkspaceView['interactions'], interaction: Interaction): WorkspaceView['interactions'] {
  if (interaction.state !== 'open') return without(record, interaction.id)
  return { ...record, [interaction.id]: interaction }
}

/** Removes a Space with everything below it, also without a line for each removed thing. */
function withoutSpace(view: WorkspaceView, space: string): WorkspaceView {
  return {
    ...view,
    spaces: without(view.spaces, space),
    projects: keep(view.projects, (project) => project.space !== space),
    sessions: keep(view.sessions, (session) => session.space !== space),
    interactions: keep(view.interactions, (interaction) => interaction.space !== space),
    rules: keep(view.rules, (rule) => rule.space !== space),
  }
}

function withoutProject(view: WorkspaceView, project: string): WorkspaceView {
  const sessions = keep(view.sessions, (session) => session.project !== project)
  return {
    ...view,
    projects: without(view.projects, project),
    sessions,
    interactions: keep(view.interactions, ({ session }) => !(session in view.sessions) || session in sessions),
  }
}

function keep<T>(record: Readonly<Record<string, T>>, wanted: (value: T) => boolean): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => wanted(value)))
}
