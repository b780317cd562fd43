import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { dataFolderOf, loadSettings, type Sources, shown } from './config.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'carrel-config-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const file = (value: unknown) => writeFileSync(join(folder, 'config.json'), JSON.stringify(value))
const sources = (env: Sources['env'] = {}, flags: Sources['flags'] = {}): Sources => ({
  flags: { dataFolder: folder, ...flags },
  env,
  cwd: '/',
  platform: 'linux',
})

it('the command line beats the environment, that the file, that the default, and each says so', () => {
  file({ port: 1, host: '::1', flushMs: 5 })
  const { config, origins } = loadSettings(sources({ CARREL_PORT: '2', CARREL_HOST: '0.0.0.0' }, { port: '3' }))
  expect(config).toMatchObject({ port: 3, host: '0.0.0.0', flushMs: 5, leaseTtlMs: 15_000 })
  expect(origins).toMatchObject({
    port: '--port',
    host: 'CARREL_HOST',
    flushMs: join(folder, 'config.json'),
    leaseTtlMs: 'default',
    dataFolder: '--data',
  })
})

it('in the environment lists have commas, null is none where that is allowed, and empty is not said', () => {
  const env = { CARREL_ALLOWED_HOSTS: 'a.example, b.example,', CARREL_QUESTION_TTL_MS: 'null', CARREL_PORT: '' }
  const { config } = loadSettings(sources({ ...env, CARREL_BROWSER_MCP: 'npx,it,{browser}' }))
  expect(config).toMatchObject({ allowedHosts: ['a.example', 'b.example'], questionTtlMs: null, port: 4747 })
  expect(config.browserMcp).toEqual(['npx', 'it', '{browser}'])
  expect(() => loadSettings(sources({ CARREL_PORT: 'null' }))).toThrow('port cannot be "null"')
})

it.each([
  [{ prot: 1 }, '"prot"'],
  [{ dataFolder: '/x' }, 'dataFolder'],
  [{ port: 'many' }, 'port cannot be "many"'],
  [{ agents: [{ id: 'Bad Id' }] }, 'agents'],
  [[], 'one JSON object'],
])('the file %j is refused in words', (value, words) => {
  file(value)
  expect(() => loadSettings(sources())).toThrow(words)
})

it('B3: the password of a database is shown to nobody', () => {
  expect(shown('databaseUrl', 'postgres://ada:secret@db/x')).toBe('"postgres://***@db/x"')
  expect(shown('browserEndpoint', 'wss://ada:secret@b.example?token=secret')).toBe('"wss://b.example/***"')
  const env = { CARREL_DATABASE_URL: 'mysql://ada:secret@db/x' }
  expect(() => loadSettings(sources(env))).toThrow(expect.objectContaining({ code: 'bad_input' }))
  expect(() => loadSettings(sources(env))).not.toThrow('secret')
})

it('the data folder is where the platform keeps such things', () => {
  const at = (env: Sources['env'], platform: string) => dataFolderOf({ flags: {}, env, cwd: '/here', platform }).path
  expect(at({ HOME: '/h' }, 'linux')).toBe('/h/.local/share/carrel')
  expect(at({ HOME: '/h', XDG_DATA_HOME: '/x' }, 'linux')).toBe('/x/carrel')
  expect(at({ HOME: '/h', XDG_DATA_HOME: '/x' }, 'darwin')).toBe('/h/Library/Application Support/Carrel')
  expect(at({ HOME: '/h', CARREL_DATA_FOLDER: 'data' }, 'linux')).toBe('/here/data')
})

it('a path prefix is refused in words, wherever it is set', () => {
  expect(() => loadSettings(sources({ CARREL_BASE_PATH: '/carrel' }))).toThrow('cannot be served below a path')
  file({ basePath: '/carrel' })
  expect(() => loadSettings(sources())).toThrow('a host name of its own')
})
