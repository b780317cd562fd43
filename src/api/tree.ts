import { z } from 'zod'
import { AgentId, ProjectId, Seq, SessionId, SpaceId, WorkspaceId } from '../model/ids.ts'
import { Interaction } from '../model/interaction.ts'
import { Rule } from '../model/rules.ts'
import { DeletePreview, Name, PlaceKind, Project, Session, SessionState, Space, Workspace } from '../model/tree.ts'
import { Flag, inWorkspace, Paging, paged } from './inputs.ts'
import { operation } from './operation.ts'

const byId = { workspace: WorkspaceId }

/** Options to create a working copy. */
const WorkingCopyOptions = {
  branch: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('worktree: branch to create or to use; default: a new branch.'),
  start: z.string().min(1).max(200).optional().describe('worktree: commit to start from; default: HEAD.'),
  include: z.array(z.string().min(1).max(1_024)).max(200).default([]).describe('Globs of ignored files to copy.'),
  setup: z
    .array(z.string().max(8_192))
    .min(1)
    .max(200)
    .optional()
    .describe('Setup command: a program and its arguments, run in the new working copy.'),
  driver: z.string().min(1).max(100).optional().describe('overlay: isolation driver; see `places.drivers`.'),
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
    summary: 'Create a workspace. Its id never changes. Idempotent: an existing workspace is returned.',
    http: ['POST', '/workspaces'],
    input: z.object({ id: WorkspaceId, name: Name.optional() }),
    output: Workspace,
    errors: ['forbidden'],
  }),
  'workspaces.get': operation({
    summary: 'Get the content of a workspace as of `seq` of its log. Follow the log from `seq`.',
    http: ['GET', '/workspaces/:workspace'],
    input: z.object({
      ...byId,
      sessions: z.coerce
        .number()
        .int()
        .min(0)
        .max(500)
        .default(200)
        .describe('Maximum number of sessions, newest first.'),
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
    summary: 'Rename a workspace. Its id stays.',
    http: ['PATCH', '/workspaces/:workspace'],
    input: z.object({ ...byId, name: Name }),
    output: Workspace,
    errors: ['not_found'],
  }),
  'workspaces.archive': operation({
    summary: 'Archive a workspace (hide it from lists), or restore it.',
    http: ['POST', '/workspaces/:workspace/archive'],
    input: z.object({ ...byId, archived: z.boolean().default(true) }),
    output: Workspace,
    errors: ['not_found'],
  }),
  'workspaces.delete': operation({
    summary:
      'Delete a workspace with all its logs. Without `confirm`, only preview the deletion. Your own folders are never touched.',
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
      'Create a Space for one folder (`folder`), or a blank Space with a folder that Carrel creates. The folder never changes. A first project is created as well.',
    http: ['POST', '/workspaces/:workspace/spaces'],
    input: z.object({
      ...byId,
      folder: z.string().min(1).max(4096).optional().describe('Absolute path; omit it for a blank Space.'),
      name: Name.optional(),
    }),
    output: z.object({ space: Space, project: Project }),
    errors: ['not_found'],
  }),
  'spaces.get': operation({
    summary: 'Get one Space with its projects. Checks whether its folder exists.',
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
    summary: 'Archive a Space (hide it from lists), or restore it.',
    http: ['POST', '/workspaces/:workspace/spaces/:id/archive'],
    input: z.object({ ...byId, id: SpaceId, archived: z.boolean().default(true) }),
    output: Space,
    errors: ['not_found'],
  }),
  'spaces.delete': operation({
    summary:
      'Delete a Space with its projects and logs. Without `confirm`, only preview the deletion. Your own folder is never touched; the folder of a blank Space is deleted.',
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
      'Create a project in a Space. Its working copy is the folder itself (`direct`), a git worktree on its own branch (`worktree`), or an isolated view of any folder (`overlay`). The last two are created in the background; see `place.state`.',
    http: ['POST', '/workspaces/:workspace/projects'],
    input: z.object({ ...byId, space: SpaceId, name: Name, place: PlaceKind.default('direct'), ...WorkingCopyOptions }),
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
    summary: 'Archive a project (hide it from lists), or restore it.',
    http: ['POST', '/workspaces/:workspace/projects/:id/archive'],
    input: z.object({ ...byId, id: ProjectId, archived: z.boolean().default(true) }),
    output: Project,
    errors: ['not_found'],
  }),
  'projects.delete': operation({
    summary: 'Delete a project with its sessions. Without `confirm`, only preview the deletion. Files stay.',
    http: ['DELETE', '/workspaces/:workspace/projects/:id'],
    input: z.object({ ...byId, id: ProjectId, confirm: Flag }),
    output: z.object({ deleted: z.boolean(), preview: DeletePreview }),
    errors: ['not_found', 'busy', 'forbidden'],
  }),

  'sessions.list': operation({
    summary: 'List sessions, last changed first.',
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
    summary: 'Create a session in a project.',
    http: ['POST', '/workspaces/:workspace/sessions'],
    input: z.object({ ...byId, project: ProjectId, agent: AgentId.optional(), name: Name.optional() }),
    output: Session,
    errors: ['not_found'],
    forAgents: true,
  }),
  'sessions.get': operation({
    summary: 'Get one session.',
    http: ['GET', '/workspaces/:workspace/sessions/:id'],
    input: z.object({ ...inWorkspace(SessionId) }),
    output: Session,
    errors: ['not_found'],
    forAgents: true,
  }),
  'sessions.rename': operation({
    summary: 'Rename a session. Carrel never replaces a name that you gave.',
    http: ['PATCH', '/workspaces/:workspace/sessions/:id'],
    input: z.object({ ...inWorkspace(SessionId), name: Name }),
    output: Session,
    errors: ['not_found'],
  }),
  'sessions.fork': operation({
    summary: 'Fork a session: create a new session with a copy of the log up to `seq`. Files are not touched.',
    http: ['POST', '/workspaces/:workspace/sessions/:id/fork'],
    input: z.object({
      ...inWorkspace(SessionId),
      seq: Seq.describe('Last event to copy.'),
      name: Name.optional(),
    }),
    output: Session,
    errors: ['not_found'],
  }),
  'sessions.archive': operation({
    summary: 'Archive a session (hide it from lists), or restore it.',
    http: ['POST', '/workspaces/:workspace/sessions/:id/archive'],
    input: z.object({ ...inWorkspace(SessionId), archived: z.boolean().default(true) }),
    output: Session,
    errors: ['not_found'],
  }),
  'sessions.delete': operation({
    summary: 'Delete a session with its log. Without `confirm`, only preview the deletion. Files stay.',
    http: ['DELETE', '/workspaces/:workspace/sessions/:id'],
    input: z.object({ ...inWorkspace(SessionId), confirm: Flag }),
    output: z.object({ deleted: z.boolean(), preview: DeletePreview }),
    errors: ['not_found', 'busy'],
  }),
} as const
