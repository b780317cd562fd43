import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import { expect, it } from 'vitest'
import { operations } from '../../api/index.ts'
import { EVENTS } from '../../model/events/events.ts'
import { openApi } from './openapi.ts'
import { STREAM_SCHEMAS } from './openapi-frames.ts'

const GOLDEN = fileURLToPath(new URL('../../../test/golden/openapi.json', import.meta.url))

interface Described {
  readonly operationId: string
  readonly parameters?: readonly { readonly name: string; readonly description?: string }[]
  readonly responses: Record<string, { readonly description?: string; readonly $ref?: string }>
}

const lint = async (document: unknown) =>
  lintFromString({
    source: JSON.stringify(document),
    absoluteRef: '/openapi.json',
    config: await createConfig({ extends: ['recommended-strict'] }),
  })

it('the document lints clean with the strict rules of a public linter', async () => {
  const problems = await lint(openApi('1.0.0', 4747))
  expect(problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer])).toEqual([])
})

it('the linter does find what is wrong: a path parameter that nobody declares', async () => {
  const document = openApi('1.0.0', 4747) as { paths: Record<string, { get?: { parameters?: unknown[] } }> }
  const get = document.paths['/workspaces/{workspace}']?.get
  if (get) get.parameters = []
  expect((await lint(document)).map(({ ruleId }) => ruleId)).toContain('path-parameters-defined')
})

it('every operation stands in the document with the errors of its table', () => {
  const { paths } = openApi('1.0.0', 4747) as { paths: Record<string, Record<string, Described>> }
  const described = Object.values(paths).flatMap((path) => Object.values(path))
  const byId = new Map(described.map((each) => [each.operationId, each]))
  expect([...byId.keys()].sort()).toEqual(
    [...Object.keys(operations), 'browsers.live', 'follow', 'sessions.follow'].sort(),
  )
  for (const [name, { errors }] of Object.entries(operations)) {
    const told = Object.values(byId.get(name)?.responses ?? {}).flatMap(({ description, $ref }) =>
      $ref ? [$ref.split('/').at(-1)] : [...(description ?? '').matchAll(/`(\w+)`/g)].map(([, code]) => code),
    )
    expect(told, name).toEqual(expect.arrayContaining([...errors]))
  }
})

it('every parameter has a description', () => {
  const { paths } = openApi('1.0.0', 4747) as { paths: Record<string, Record<string, Described>> }
  const all = Object.values(paths).flatMap((path) => Object.values(path))
  const bare = all.flatMap(({ operationId, parameters = [] }) =>
    parameters.filter(({ description }) => !description).map(({ name }) => `${operationId} ${name}`),
  )
  expect(bare).toEqual([])
})

it('every type of event and every message of a stream has a schema', () => {
  const { components, paths } = openApi('1.0.0', 4747) as {
    components: { schemas: Record<string, { oneOf?: { properties: { type: { const: string } } }[] }> }
    paths: unknown
  }
  const typesOf = (name: string) =>
    components.schemas[name]?.oneOf?.map(({ properties }) => properties.type.const).sort()
  expect(typesOf('SessionEvent')).toEqual(Object.keys(EVENTS).sort())
  expect(typesOf('WorkspaceEvent')).toContain('session.changed')
  const refs = JSON.stringify(paths).match(/(?<=#\/components\/schemas\/)\w+/g) ?? []
  expect(refs).toEqual(expect.arrayContaining(Object.keys(STREAM_SCHEMAS)))
})

it('the login cookie is that of the server', () => {
  expect(openApi('1.0.0', 5858)).toMatchObject({ components: { securitySchemes: { cookie: { name: 'carrel_5858' } } } })
})

it('the public API is the one of test/golden/openapi.json', () => {
  const now = `${JSON.stringify(openApi('golden', 4747), null, 1)}\n`
  if (process.env.UPDATE_GOLDEN) writeFileSync(GOLDEN, now)
  const meant =
    'The public API changed. If that is meant: UPDATE_GOLDEN=1 npx vitest run src/faces/http/openapi.test.ts'
  expect(JSON.parse(now), meant).toEqual(JSON.parse(readFileSync(GOLDEN, 'utf8')))
})
