import { describe, expect, it } from 'vitest'
import { EVENTS, parseEvent } from './events/events.ts'
import { commandNow, driverNow, eventTypeNow, oldFieldOf, operationNow, pathNow } from './old-names.ts'
import { ProjectPlace } from './tree.ts'

describe('names in logs', () => {
  it('an event of an old type is read as one of today, with the shape of today', () => {
    const other = { session: `ses_${'0'.repeat(26)}`, run: `run_${'0'.repeat(26)}` }
    const data = { place: '/work', paths: ['a.ts'], other }
    const old = { session: other.session, seq: 1, at: 1, run: null, type: 'files.contended', data }
    expect(parseEvent(old)).toEqual({ ...old, type: 'files.conflicted' })
    expect(() => parseEvent({ ...old, data: {} })).toThrow()
    expect(Object.keys(EVENTS)).toContain(eventTypeNow('files.contended'))
    expect(Object.keys(EVENTS)).not.toContain('files.contended')
  })

  it('a type that was never renamed stays', () => {
    expect(['run.ended', 'constructor', 'newer.type'].map(eventTypeNow)).toEqual([
      'run.ended',
      'constructor',
      'newer.type',
    ])
  })

  it('a working copy of an old line has the driver as it is called now', () => {
    const place = { kind: 'overlay', path: '/copy', driver: 'reflink copy' }
    expect(ProjectPlace.parse(place).driver).toBe('reflink')
    expect(driverNow('overlayfs')).toBe('overlayfs')
  })
})

describe('names that callers may still use', () => {
  it.each([
    ['/api/server', '/api/v1/server'],
    ['/api/workspaces/w/surroundings', '/api/v1/workspaces/w/environment'],
    ['/api/v1/workspaces/w/surroundings', '/api/v1/workspaces/w/environment'],
    ['/api/v1/workspaces/w/runs/run_1/surroundings', '/api/v1/workspaces/w/runs/run_1/environment'],
    ['/api/v1/workspaces/w/spaces/spc_1/files/check', '/api/v1/workspaces/w/spaces/spc_1/file-rules/check'],
    ['/api/v1/workspaces/w/projects/prj_1/plans/carry-out', '/api/v1/workspaces/w/projects/prj_1/plans/apply'],
    ['/api/v1/workspaces/w/history', '/api/v1/workspaces/w/changes'],
    ['/api/workspaces/w/projects/prj_1/place', '/api/v1/workspaces/w/projects/prj_1/copy'],
    ['/api/v1/places/drivers', '/api/v1/copies/drivers'],
    ['/api/v1/nothing', undefined],
    ['/somewhere/else', undefined],
  ])('%s is now %s', (path, now) => {
    expect(pathNow(path)).toBe(now)
  })

  it('operations and commands say their new name, all else nothing', () => {
    expect(operationNow('plans.carryOut')).toBe('plans.apply')
    expect(commandNow('places')).toBe('copies')
    expect([operationNow('toString'), commandNow('toString'), operationNow('runs.list')]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })

  it('a renamed field of an input is found wherever it lies', () => {
    expect(oldFieldOf('fileRules.set', { rules: { contention: [] } })).toEqual({
      old: 'rules.contention',
      now: 'rules.paths',
    })
    expect(oldFieldOf('fileRules.set', { rules: null })).toBeNull()
    expect(oldFieldOf('runs.list', { rules: { contention: [] } })).toBeNull()
  })
})
