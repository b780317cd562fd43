import { z } from 'zod'
import { AgentId, ProjectId, Seq, SessionId, SpaceId, WorkspaceId } from '../model/ids.ts'
import { Interaction } from '../model/interaction.ts'
import { Rule } from '../model/rules.ts'
import { DeletePreview, Name, PlaceKind, Project, Session, SessionState, Space, Workspace } from '../model/tree.ts'
import { Flag, inWorkspace, Paging, paged } from './inputs.ts'
import { operation } from './operation.ts'

const byId = { workspace: WorkspaceId }

/** How a place of its own is made. */
const PlaceWishes = {
  branch: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('worktree: a branch to make or to take; left out for a new one.'),
  start: z.string().min(1).max(200).optional().describe('worktree: what to begin at; left out for HEAD.'),
  include: z
    .array(z.string().min(1).max(1_024))
    .max(200)
    .default([])
    .describe('Globs of ignored files that come along.'),
  setup: z
    .array(z.string().max(8_192))
    .min(1)
    .max(200)
    .optional()
    .describe('A program and its arguments, run in the new place.'),
  driver: z.string().min(1).max(100).optional().describe('overlay: how to keep it apart; see `places.drivers`.'),
}

export const tree = {
  'workspaces.list': operation({
    summary: 'List the workspaces that the caller may enter.',
    http: ['GET', '/workspaces'],
    input: z.object({}),
    output: z.object({ workspaces: z.array(Workspace) }),
    errors: [],
  }),
  'workspaces.create': operation({
    summary: 'Make a workspace. Its id is its name for ever; making one that exists returns it.',
    http: ['POST', '/workspaces'],
    input: z.object({ id: WorkspaceId, name: Name.optional() }),
    output: Workspace,
    errors: ['forbidden'],
  }),
  'workspaces.get': operation({
    summary: 'All that rail and inbox show, as of `seq` of the workspace log; follow from there.',
    http: ['GET', '/workspaces/:workspace'],
    input: z.object({
      ...byId,
      sessions: z.coerce
        .number()
        .int()
        .min(0)
        .max(500)
        .default(200)
        .describe('How many of the newest sessions to bring.'),
    }),
    output: z.object({
      seq: z.number().int(),
      workspace: Workspace,
      spaces: z.array(Space),
      projects: z.array(Project),
      sessions: z.array(Session),
      interactions: z.array(Interaction),
      rules: z.array(Rule),
    }),
    errors: ['not_found'],
  }),
  'workspaces.rename': operation({
    summary: 'Give a workspace another display name.',
    http: ['PATCH', '/workspaces/:workspace'],
    input: z.object({ ...byId, name: Name }),
    output: Workspace,
    errors: ['not_found'],
  }),
  'workspaces.archive': operation({
    summary: 'Hide a workspace from lists, or bring it back.',
    http: ['POST', '/workspaces/:workspace/archive'],
    input: z.object({ ...byId, archived: z.boolean().default(true) }),
    output: Workspace,
    errors: ['not_found'],
  }),
  'workspaces.delete': operation({
    summary:
      'Delete a workspace with all its logs. Without `confirm` it only says what would go. Folders of folder Spaces are never touched.',
    http: ['DELETE', '/workspaces/:workspace'],
    input: z.object({ ...byId, confirm: Flag }),
    output: z.object({ deleted: z.boolean(), preview: DeletePreview }),
    errors: ['not_found', 'busy', 'forbidden'],
  }),

  'spaces.list': operation({
    summary: 'List the Spaces of a workspace.',
    http: ['GET', '/workspaces/:workspace/spaces'],
    input: z.object({ ...byId, archived: Flag }),
    output: z.object({ spaces: z.array(Space) }),
    errors: ['not_found'],
    forAgents: true,
  }),
  'spaces.create': operation({
    summary:
      'Make a Space: bound to one real folder for good (`folder`), or blank, with a folder that Carrel makes. Comes with a first project.',
    http: ['POST', '/workspaces/:workspace/spaces'],
    input: z.object({
      ...byId,
      folder: z.string().min(1).max(4096).optional().describe('Absolute path; left out for a blank Space.'),
      name: Name.optional(),
    }),
    output: z.object({ space: Space, project: Project }),
    errors: ['not_found'],
  }),
  'spaces.get': operation({
    summary: 'One Space, with its projects; looks whether its folder is there.',
    http: ['GET', '/workspaces/:workspace/spaces/:id'],
    input: z.object({ ...byId, id: SpaceId }),
    output: z.object({ space: Space, projects: z.array(Project), branch: z.string().nullable() }),
    errors: ['not_found'],
  }),
  'spaces.rename': operation({
    summary: 'Rename a Space.',
    http: ['PATCH', '/workspaces/:workspace/spaces/:id'],
    input: z.object({ ...byId, id: SpaceId, name: Name }),
    output: Space,
    errors: ['not_found'],
  }),
  'spaces.archive': operation({
    summary: 'Hide a Space from lists, or bring it back.',
    http: ['POST', '/workspaces/:workspace/spaces/:id/archive'],
    input: z.object({ ...byId, id: SpaceId, archived: z.boolean().default(true) }),
    output: Space,
    errors: ['not_found'],
  }),
  'spaces.delete': operation({
    summary:
      'Delete a Space with its projects and logs. Without `confirm` it only says what would go. A real folder is never touched; the folder of a blank Space goes.',
    http: ['DELETE', '/workspaces/:workspace/spaces/:id'],
    input: z.object({ ...byId, id: SpaceId, confirm: Flag }),
    output: z.object({ deleted: z.boolean(), preview: DeletePreview }),
    errors: ['not_found', 'busy', 'forbidden'],
  }),

  'projects.list': operation({
    summary: 'List the projects of a workspace, or of one Space.',
    http: ['GET', '/workspaces/:workspace/projects'],
    input: z.object({ ...byId, space: SpaceId.optional(), archived: Flag }),
    output: z.object({ projects: z.array(Project) }),
    errors: ['not_found'],
    forAgents: true,
  }),
  'projects.create': operation({
    summary:
      'Begin a line of work in a Space. Its place is the folder itself (`direct`), a git worktree on a branch of its own (`worktree`), or a view of its own over any folder (`overlay`). The last two are made in the background: `place.state` says how far.',
    http: ['POST', '/workspaces/:workspace/projects'],
    input: z.object({ ...byId, space: SpaceId, name: Name, place: PlaceKind.default('direct'), ...PlaceWishes }),
    output: Project,
    errors: ['not_found', 'unavailable'],
  }),
  'projects.rename': operation({
    summary: 'Rename a project.',
    http: ['PATCH', '/workspaces/:workspace/projects/:id'],
    input: z.object({ ...byId, id: ProjectId, name: Name }),
    output: Project,
    errors: ['not_found'],
  }),
  'projects.archive': operation({
    summary: 'Hide a project from lists, or bring it back.',
    http: ['POST', '/workspaces/:workspace/projects/:id/archive'],
    input: z.object({ ...byId, id: ProjectId, archived: z.boolean().default(true) }),
    output: Project,
    errors: ['not_found'],
  }),
  'projects.delete': operation({
    summary: 'Delete a project with its sessions. Without `confirm` it only says what would go. Files stay.',
    http: ['DELETE', '/workspaces/:workspace/projects/:id'],
    input: z.object({ ...byId, id: ProjectId, confirm: Flag }),
    output: z.object({ deleted: z.boolean(), preview: DeletePreview }),
    errors: ['not_found', 'busy', 'forbidden'],
  }),

  'sessions.list': operation({
    summary: 'List sessions, the one that changed last first.',
    http: ['GET', '/workspaces/:workspace/sessions'],
    input: z.object({
      ...byId,
      ...Paging,
      space: SpaceId.optional(),
      project: ProjectId.optional(),
      state: SessionState.optional(),
      text: z.string().max(200).optional(),
      archived: Flag,
    }),
    output: paged('sessions', Session),
    errors: ['not_found'],
    forAgents: true,
  }),
  'sessions.create': operation({
    summary: 'Open a session in a project.',
    http: ['POST', '/workspaces/:workspace/sessions'],
    input: z.object({ ...byId, project: ProjectId, agent: AgentId.optional(), name: Name.optional() }),
    output: Session,
    errors: ['not_found'],
    forAgents: true,
  }),
  'sessions.get': operation({
    summary: 'One session.',
    http: ['GET', '/workspaces/:workspace/sessions/:id'],
    input: z.object({ ...inWorkspace(SessionId) }),
    output: Session,
    errors: ['not_found'],
    forAgents: true,
  }),
  'sessions.rename': operation({
    summary: 'Name a session. A name given here is never replaced by a machine.',
    http: ['PATCH', '/workspaces/:workspace/sessions/:id'],
    input: z.object({ ...inWorkspace(SessionId), name: Name }),
    output: Session,
    errors: ['not_found'],
  }),
  'sessions.fork': operation({
    summary: 'A new session that shares this one up to an event and then goes its own way. Files are not touched.',
    http: ['POST', '/workspaces/:workspace/sessions/:id/fork'],
    input: z.object({
      ...inWorkspace(SessionId),
      seq: Seq.describe('The last event to take along.'),
      name: Name.optional(),
    }),
    output: Session,
    errors: ['not_found'],
  }),
  'sessions.archive': operation({
    summary: 'Hide a session from lists, or bring it back.',
    http: ['POST', '/workspaces/:workspace/sessions/:id/archive'],
    input: z.object({ ...inWorkspace(SessionId), archived: z.boolean().default(true) }),
    output: Session,
    errors: ['not_found'],
  }),
  'sessions.delete': operation({
    summary: 'Delete a session with its log. Without `confirm` it only says what would go. Files stay.',
    http: ['DELETE', '/workspaces/:workspace/sessions/:id'],
    input: z.object({ ...inWorkspace(SessionId), confirm: Flag }),
    output: z.object({ deleted: z.boolean(), preview: DeletePreview }),
    errors: ['not_found', 'busy'],
  }),
} as const
