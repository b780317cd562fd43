import picomatch from 'picomatch'
import { describe, expect, it } from 'vitest'
import { permission, rule as ruleId } from '../../test/support/session-log.ts'
import { SpaceId } from './ids.ts'
import { decide, type GlobMatch, Rule } from './rules.ts'

/** As the engine should: names with a dot are names, and no `!` turns a rule round. */
const matches: GlobMatch = (path, glob) => picomatch.isMatch(path, glob, { dot: true, nonegate: true, noextglob: true })
const SPACE = SpaceId.parse(`spc_${'1'.padStart(26, '0')}`)
let made = 0
function rule(
  action: Rule['action'],
  fields: Partial<Record<'agent' | 'toolKind' | 'path' | 'command' | 'space', string>> = {},
) {
  made += 1
  const none = { space: null, agent: null, toolKind: null, path: null, command: null }
  return Rule.parse({ ...none, ...fields, id: ruleId(made), workspace: 'default', action, createdAt: 0 })
}
const about = (question: Partial<typeof permission> | { paths: string[] }) => ({
  space: SPACE,
  folder: '/home/ada/work',
  agent: 'codex',
  question: { ...permission, ...question } as typeof permission,
})
const decided = (rules: Rule[], question: Parameters<typeof about>[0]) =>
  decide(rules, about(question), matches)?.action ?? 'ask'
const touching = (...paths: string[]) => ({ toolKind: 'edit', command: null as never, paths: paths as never[] })

describe('which rule decides', () => {
  const every = rule('allow')
  it.each<[string, Rule[], string]>([
    ['none is to ask', [], 'ask'],
    ['a rule without fields matches all', [every], 'allow'],
    ['the first that matches decides', [rule('deny', { toolKind: 'execute' }), every], 'deny'],
    ['also when it says ask', [rule('ask', { command: 'npm *' }), every], 'ask'],
    ['one that does not match is passed over', [rule('deny', { toolKind: 'edit' }), every], 'allow'],
    ['another agent', [rule('allow', { agent: 'qwen' })], 'ask'],
    ['this agent', [rule('allow', { agent: 'codex' })], 'allow'],
    ['another Space', [rule('allow', { space: `spc_${'2'.padStart(26, '0')}` })], 'ask'],
    ['this Space', [rule('allow', { space: SPACE })], 'allow'],
    ['all fields must match', [rule('allow', { agent: 'codex', command: 'npm run *' })], 'ask'],
    ['a path rule needs a path', [rule('allow', { path: '**' })], 'ask'],
  ])('%s', (_, rules, action) => expect(decided(rules, {})).toBe(action))
  it('only permissions are decided by rules', () => {
    expect(decided([every], { kind: 'choice' as 'permission' })).toBe('ask')
  })
})

describe('a command that is allowed', () => {
  it.each<[string, string | null, boolean]>([
    ['npm test', 'npm test', true],
    ['npm test', 'npm test ', false],
    ['npm test', null, false],
    ['npm test*', 'npm test -- -u', true],
    ['npm test*', 'npm test; rm -rf /', false],
    ['npm test*', 'npm test && rm -rf /', false],
    ['npm test*', 'npm test | sh', false],
    ['npm test*', 'npm test $(rm x)', false],
    ['npm test*', 'npm test `rm x`', false],
    ['npm test*', 'npm test > /etc/passwd', false],
    ['npm test*', 'npm test\nrm x', false],
    ['npm test*', 'npm test\rrm x', false],
    ['cd a && npm *', 'cd a && npm test', true],
    ['cd a && npm *', 'cd a && npm test; rm x', false],
    ['* && npm test', 'cd a && npm test', true],
    ['* && npm test', 'rm x; cd a && npm test', false],
    ['git * --stat', 'git log --stat', true],
    ['git * --stat', 'git log --stat x', false],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['a**c', 'abc', true],
    ['a.c *', 'abc d', false],
    ['*', 'ls', true],
    ['*', 'ls; rm x', false],
  ])('%s for %s: %s', (pattern, command, allowed) => {
    expect(decided([rule('allow', { command: pattern })], { command: command as string })).toBe(
      allowed ? 'allow' : 'ask',
    )
  })
  it('a pattern with many wildcards costs no more than its length', () => {
    const pattern = `${'*a'.repeat(2_000)}b`
    expect(decided([rule('allow', { command: pattern })], { command: 'a'.repeat(100_000) })).toBe('ask')
  })
})

it.each([
  ['*rm -rf*', 'cd /tmp && rm -rf x'],
  ['rm *', 'rm x; ls'],
  ['*\n*', 'ls\nrm x'],
])('a command that is denied: %s for %s', (pattern, command) => {
  expect(decided([rule('deny', { command: pattern }), rule('allow')], { command })).toBe('deny')
})

describe('paths that are allowed', () => {
  it.each<[string, string[], boolean]>([
    ['src/**', ['src/a.ts'], true],
    ['src/**', ['/home/ada/work/src/a.ts'], true],
    ['src/**', ['./src/a.ts'], true],
    ['src/**', ['src/.env'], true],
    ['src/**', ['src/a.ts', 'src/b/c.ts'], true],
    ['src/**', ['src/a.ts', 'package.json'], false],
    ['src/**', ['src/a.ts', '/etc/passwd'], false],
    ['src/**', ['/home/ada/work-2/src/a.ts'], false],
    ['src/**', ['/src/a.ts'], false],
    ['src/**', ['src/../package.json'], false],
    ['**', ['/home/ada/work/../other/a.ts'], false],
    ['**', ['/home/ada/other/a.ts'], false],
    ['**', [], false],
    ['*.ts', ['a.ts'], true],
    ['*.ts', ['src/a.ts'], false],
    ['/home/ada/**', ['/home/ada/other/a.ts'], true],
    ['/home/ada/**', ['a.ts'], true],
    ['/home/ada/**', ['/srv/a.ts'], false],
    ['!secrets/**', ['src/a.ts'], false],
  ])('%s for %j: %s', (glob, paths, allowed) => {
    expect(decided([rule('allow', { path: glob })], touching(...paths))).toBe(allowed ? 'allow' : 'ask')
  })
  it('a path that climbs is never allowed, whatever the rule says of it', () => {
    expect(decided([rule('allow')], touching('src/../src/a.ts'))).toBe('ask')
  })
})

describe('a path that is denied is denied beside others and in every spelling', () => {
  it.each([
    [['secrets/key']],
    [['src/a.ts', 'secrets/.env']],
    [['src/../secrets/key']],
    [['./secrets//key']],
    [['/home/ada/work/secrets/key']],
  ])('%j', (paths) => {
    const rules = [rule('deny', { path: 'secrets/**' }), rule('allow', { path: '**' }), rule('allow')]
    expect(decided(rules, touching(...paths))).toBe('deny')
    const absolute = [rule('deny', { path: '/home/ada/work/secrets/**' }), rule('allow')]
    expect(decided(absolute, touching(...paths))).toBe('deny')
  })
  it('others are not', () => {
    const rules = [rule('deny', { path: 'secrets/**' }), rule('allow', { path: '**' })]
    expect(decided(rules, touching('src/secrets.ts'))).toBe('allow')
  })
})
