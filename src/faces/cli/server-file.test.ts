import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { readServerFile, readToken, writeServerFile } from './server-file.ts'

const top = mkdtempSync(join(tmpdir(), 'carrel-server-file-'))
afterAll(() => rmSync(top, { recursive: true, force: true }))
const fresh = () => mkdtempSync(join(top, 'data-'))

it('a data folder without the files has no server and no token', () => {
  for (const folder of [fresh(), join(top, 'nowhere')])
    expect([readServerFile(folder), readToken(folder)]).toEqual([null, null])
})

it('files are read as they were written, and half a note is none', () => {
  const folder = fresh()
  const server = { url: 'http://127.0.0.1:4747', pid: 7, startedAt: 1 }
  writeServerFile(folder, server)
  writeFileSync(join(folder, 'token'), 'secret\n')
  expect([readServerFile(folder), readToken(folder)]).toMatchObject([server, 'secret'])
  writeFileSync(join(folder, 'server.json'), '{"url":')
  expect(readServerFile(folder)).toBeNull()
})

it('a server.json that came with a copy of the data folder is about another server', () => {
  const folder = fresh()
  writeServerFile(folder, { url: 'http://127.0.0.1:4747', pid: 7, startedAt: 1 })
  const copy = `${folder}-copy`
  cpSync(folder, copy, { recursive: true })
  const renamed = `${folder}-renamed`
  renameSync(folder, renamed)
  expect([readServerFile(copy), readServerFile(renamed)?.pid]).toEqual([null, 7])
})

it.each([
  ['server.json', readServerFile],
  ['token', readToken],
])('a %s that cannot be read is an error in words', (name, read) => {
  const folder = fresh()
  mkdirSync(join(folder, name))
  expect(() => read(folder)).toThrow(`${join(folder, name)} cannot be read. A folder is in the place of a file.`)
})
