import { z } from 'zod'
import { Finding } from '../../api/admin.ts'
import { type OperationName, operations, worksPaused } from '../../api/index.ts'
import type { Operation } from '../../api/operation.ts'
import { EventLine } from '../../api/sessions.ts'
import { AgentStatus } from '../../model/agent.ts'
import { ERRORS, type ErrorCode } from '../../model/errors.ts'
import { Item, RunItem } from '../../model/events/items.ts'
import { Interaction } from '../../model/interaction.ts'
import { Rule } from '../../model/rules.ts'
import { DeletePreview, Project, Run, Session, Space, Workspace } from '../../model/tree.ts'
import { loginCookie } from './auth.ts'
import { LIVE_FRAMES, LOG_FRAMES, STREAM_SCHEMAS, streamContent } from './openapi-frames.ts'

type Json = Record<string, unknown>

const NAMED = {
  Workspace,
  Space,
  Project,
  Session,
  Run,
  Interaction,
  Item,
  RunItem,
  Rule,
  DeletePreview,
  AgentStatus,
  Finding,
  ...STREAM_SCHEMAS,
}

const TAGS: Readonly<Record<string, string>> = {
  workspaces: 'Tenants. No data crosses the boundary of a workspace.',
  spaces: 'Folders in which agents work.',
  projects: 'Lines of work in a Space, each with a working copy.',
  sessions: 'Conversations with agents, each with its own log.',
  prompts: 'Queued prompts.',
  runs: 'Executions of prompts.',
  browsers: 'Browsers of runs.',
  interactions: 'Questions of agents to people.',
  rules: 'Permission rules: standing answers to permission questions.',
  agents: 'Coding agents that run prompts.',
  folders: "Folders on the server's machine.",
  server: 'The server itself.',
  follow: 'Streams of events from logs.',
}

const ALWAYS: readonly ErrorCode[] = ['bad_input', 'unauthenticated', 'forbidden', 'internal', 'unavailable']

/** Generates the OpenAPI 3.1 document of the HTTP API from the operations. @param port of the server, which names its cookie */
export function openApi(version: string, port: number): Json {
  const components = namedSchemas()
  const paths: Record<string, Json> = {}
  for (const [name, operation] of Object.entries(operations) as [string, Operation][]) {
    const [method, pattern] = operation.http
    const path = pattern.replace(/:([a-zA-Z]+)/g, '{$1}')
    paths[path] = { ...paths[path], [method.toLowerCase()]: describe(name, operation) }
  }
  const all = { ...paths, ...streamPaths() }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Carrel',
      version,
      summary: 'Durable agent sessions.',
      description: 'The page and the command line use only this API. All errors have one shape; match on `code`.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/api/v1', description: 'The server that sent this document.' }],
    security: [{ bearer: [] }, { cookie: [] }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths: all,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'The token of this installation.' },
        cookie: {
          type: 'apiKey',
          in: 'cookie',
          name: loginCookie(port),
          description: 'Set by `/login`. The name ends with the port of the server.',
        },
      },
      responses: namedResponses(all),
      schemas: { ...components, Problem: problemSchema() },
    },
  }
}

const AT_MACHINE = 'Only the machine of the Space answers; any other node answers `unavailable` and names it.'

function describe(name: string, operation: Operation): Json {
  const [method, pattern] = operation.http
  const input = inputSchema(operation.input)
  const inPath = [...pattern.matchAll(/:([a-zA-Z]+)/g)].map(([, key]) => key as string)
  const rest = Object.entries(input.properties).filter(([key]) => !inPath.includes(key))
  const hasBody = method === 'POST' || method === 'PATCH'
  const parameters = [
    ...inPath.map((key) => parameter('path', key, input.properties[key] ?? {}, true)),
    ...(hasBody ? [] : rest.map(([key, schema]) => parameter('query', key, schema, input.required.includes(key)))),
  ]
  const required = rest.map(([key]) => key).filter((key) => input.required.includes(key))
  const body = {
    type: 'object',
    properties: Object.fromEntries(rest),
    additionalProperties: false,
    ...(required.length > 0 && { required }),
  }
  return {
    operationId: name,
    tags: [name.split('.')[0]],
    summary: operation.summary.split(/(?<=\.)\s/)[0],
    description: operation.at === 'machine' ? `${operation.summary} ${AT_MACHINE}` : operation.summary,
    ...(parameters.length > 0 && { parameters }),
    ...(hasBody &&
      rest.length > 0 && {
        requestBody: { required: required.length > 0, content: { 'application/json': { schema: body } } },
      }),
    responses: {
      200: { description: 'Done.', content: { 'application/json': { schema: outputSchema(operation.output) } } },
      ...errorResponses([
        ...ALWAYS,
        ...(hasBody ? (['too_large'] as const) : []),
        ...(worksPaused(name as OperationName) ? [] : (['paused'] as const)),
        ...operation.errors,
      ]),
    },
  }
}

function parameter(where: 'path' | 'query' | 'header', name: string, schema: Json, required: boolean): Json {
  const { description, ...rest } = schema
  return { name, in: where, required, ...(description !== undefined && { description }), schema: rest }
}

/** Returns one response per status. Codes with the same status share a response, which lists them. */
function errorResponses(codes: readonly ErrorCode[]): Json {
  const byStatus = new Map<number, Set<ErrorCode>>()
  for (const code of codes) {
    const { status } = ERRORS[code]
    byStatus.set(status, (byStatus.get(status) ?? new Set()).add(code))
  }
  const toResponse = (set: ReadonlySet<ErrorCode>) =>
    set.size === 1 ? { $ref: `#/components/responses/${[...set][0]}` } : errorResponse([...set])
  return Object.fromEntries([...byStatus].map(([status, set]) => [status, toResponse(set)]))
}

const errorResponse = (codes: readonly ErrorCode[]): Json => ({
  description: codes.map((code) => `\`${code}\``).join(', '),
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Problem' } } },
})

function namedResponses(paths: Json): Json {
  const text = JSON.stringify(paths)
  const used = (Object.keys(ERRORS) as ErrorCode[]).filter((code) => text.includes(`/responses/${code}"`))
  return Object.fromEntries(used.map((code) => [code, errorResponse([code])]))
}

function problemSchema(): Json {
  return {
    type: 'object',
    description: 'Error response.',
    required: ['error'],
    properties: {
      error: {
        type: 'object',
        required: ['code', 'message'],
        properties: {
          code: { type: 'string', enum: Object.keys(ERRORS), description: 'Stable error code; match on it.' },
          message: { type: 'string', description: 'Sentence for a person: the failure and the next step.' },
          data: { description: 'Details for a program.' },
        },
      },
    },
  }
}

const target = (text: string): Json => ({ type: 'string', description: text })

function streamPaths(): Json {
  const after = { type: 'integer', minimum: 0, default: 0, description: 'Only events after this `seq`.' }
  const resume = parameter('header', 'Last-Event-ID', target('Last `id` read; overrides `after`.'), false)
  return {
    '/follow': {
      get: streamOperation('follow', 'Follow several logs in one stream.', [
        parameter('query', 'w', target('Workspace log to follow: `<id>` or `<id>:<after>`.'), false),
        parameter(
          'query',
          's',
          {
            type: 'array',
            items: { type: 'string' },
            maxItems: 64,
            description: 'Sessions to follow: `<id>` or `<id>:<after>`.',
          },
          false,
        ),
        parameter(
          'query',
          'workspace',
          target('Workspace of the sessions; default: that of `w`, else `default`.'),
          false,
        ),
        resume,
      ]),
    },
    '/workspaces/{workspace}/runs/{id}/browser/live': {
      get: {
        operationId: 'browsers.live',
        tags: ['browsers'],
        summary: 'Watch the browser of a run.',
        description:
          'Watch the browser of a run. Server-sent events without ids: `scene` for each change of the tabs, the visible tab or the person in control; `frame` with the newest picture as a JPEG in base64 and the viewport size in CSS pixels; `ended` when the run releases the browser. A slow reader gets fewer pictures. Without viewers, no pictures are taken.',
        parameters: [
          parameter('path', 'workspace', target('Id of the workspace.'), true),
          parameter('path', 'id', target('Id of the run.'), true),
        ],
        responses: {
          200: { description: 'The stream.', content: streamContent(LIVE_FRAMES) },
          ...errorResponses([...ALWAYS, 'not_found', 'gone']),
        },
      },
    },
    '/workspaces/{workspace}/sessions/{id}/follow': {
      get: streamOperation('sessions.follow', 'Follow the log of one session.', [
        parameter('path', 'workspace', target('Id of the workspace.'), true),
        parameter('path', 'id', target('Id of the session.'), true),
        parameter('query', 'after', after, false),
        resume,
      ]),
    },
  }
}

function streamOperation(operationId: string, summary: string, parameters: Json[]): Json {
  return {
    operationId,
    tags: ['follow'],
    summary,
    description: `${summary} Server-sent events: \`session\` and \`workspace\` carry the stored event as JSON. \`caught-up\` (\`log\`, \`head\`): all past events were sent. \`files\` (\`log\`): files of a workspace may have changed; no log records this. \`browsers\` (\`log\`): the list of browsers may have changed. \`ended\` (\`log\`, \`reason\`): the log no longer exists. \`id\` is the position of the stream: sent back as \`Last-Event-ID\`, it resumes exactly there.`,
    parameters,
    responses: {
      200: { description: 'The stream.', content: streamContent(LOG_FRAMES) },
      204: { description: 'None of the logs exists any more; do not reconnect.' },
      ...errorResponses([...ALWAYS, 'not_found']),
    },
  }
}

interface ObjectSchema {
  readonly properties: Record<string, Json>
  readonly required: readonly string[]
}

function inputSchema(input: z.ZodType): ObjectSchema {
  const schema = z.toJSONSchema(input, {
    io: 'input',
    unrepresentable: 'any',
    // A field that no schema knows is refused, at any depth.
    override: ({ zodSchema: { _zod }, jsonSchema }) => {
      if (_zod.def.type === 'object' && _zod.def.catchall === undefined) jsonSchema.additionalProperties = false
    },
  }) as unknown as Partial<ObjectSchema>
  return { properties: schema.properties ?? {}, required: schema.required ?? [] }
}

const registry = z.registry<{ id: string }>()
for (const [id, schema] of Object.entries(NAMED)) registry.add(schema, { id })

function outputSchema(output: z.ZodType): Json {
  const { $defs: _, ...schema } = toNamed(output)
  return schema
}

function namedSchemas(): Json {
  const { $defs } = toNamed(z.object(NAMED)) as { $defs: Record<string, Json> }
  return Object.fromEntries(Object.entries($defs).map(([name, { id: _, ...schema }]) => [name, schema]))
}

const clear = (json: Json): Json => {
  for (const key of Object.keys(json)) delete json[key]
  return json
}

/** Converts a schema. Named schemas move from `$defs` to `components`. */
function toNamed(schema: z.ZodType): Json {
  const made = z.toJSONSchema(schema, {
    io: 'output',
    unrepresentable: 'any',
    metadata: registry,
    // A newer server may send more fields; clients must accept them.
    override: ({ zodSchema, jsonSchema }) => {
      // An earlier form that is read as the present one has no schema of its own.
      const [form, earlier] = jsonSchema.anyOf ?? []
      if (form && earlier && Object.keys(earlier).length === 0) Object.assign(clear(jsonSchema), form)
      if (zodSchema === EventLine) Object.assign(clear(jsonSchema), { $ref: '#/$defs/SessionEvent' })
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties
    },
  })
  const { $schema: _, ...rest } = JSON.parse(
    JSON.stringify(made).replaceAll('"#/$defs/', '"#/components/schemas/'),
  ) as Json
  return rest
}
