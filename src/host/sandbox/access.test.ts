import { expect, it } from 'vitest'
import { AgentRecipe } from '../../model/agent.ts'
import { KNOWN_AGENTS } from '../agent/known-agents.ts'
import { accessOf, hostsOf } from './access.ts'

const recipe = AgentRecipe.parse({
  id: 'mine',
  name: 'Mine',
  command: 'mine',
  ownPaths: ['.mine/', '.mine.json', '$MINE_HOME/'],
  loginFiles: ['.mine/login'],
  hosts: ['models.example'],
  passEnv: ['MINE_BASE_URL', 'OTHER_BASE_URL', 'MINE_KEY'],
})
const access = (env: Record<string, string>) =>
  accessOf({
    recipe,
    known: [...KNOWN_AGENTS, recipe],
    env,
    home: '/h',
    dataFolder: '/d',
    see: ['/app', '/h/.mine/node/bin'],
  })

it.each([
  [{ HOME: '/h' }, ['/h/.mine/', '/h/.mine.json']],
  [{}, ['/h/.mine/', '/h/.mine.json']],
  [{ HOME: '/h', MINE_HOME: '/elsewhere' }, ['/h/.mine/', '/h/.mine.json', '/elsewhere/']],
  [{ HOME: '/h', MINE_HOME: 'relative' }, ['/h/.mine/', '/h/.mine.json']],
  [{ HOME: '/d/homes/mine-1' }, ['/d/homes/mine-1/']],
])('with %j an agent writes %j', (env, write) => {
  expect(access(env).write).toEqual(write)
})

it('it cannot change its own folders on the PATH, nor programs that Carrel runs from there', () => {
  const PATH = '/usr/bin:/h/.mine/bin:/h/.mine:/h/.minerals/bin:/h/bin:relative'
  expect(access({ HOME: '/h', PATH }).read).toEqual(['/h/.mine/bin', '/h/.mine', '/h/.mine/node/bin'])
})

it('secrets, the logins of others and the data of Carrel are hidden, its own login is not', () => {
  const { hide, see } = access({ HOME: '/d/homes/mine-1' })
  expect(hide).toEqual(expect.arrayContaining(['/h/.ssh', '/h/.aws', '/h/.gnupg', '/h/.codex/auth.json', '/d']))
  expect(hide).not.toContain('/h/.mine/login')
  expect(see).toEqual(['/app', '/h/.mine/node/bin'])
})

it('a strict agent reaches the hosts of its Space, its own hosts, and its configured endpoints', () => {
  const env = {
    MINE_BASE_URL: 'http://10.0.0.1:8080/v1',
    OTHER_BASE_URL: 'https://proxy.example/x',
    MINE_KEY: 'https://no.example',
  }
  expect(hostsOf(recipe, env, ['a.example', 'models.example'])).toEqual([
    'a.example',
    'models.example',
    '10.0.0.1:8080',
    'proxy.example:443',
  ])
  expect(hostsOf(recipe, { MINE_BASE_URL: 'nonsense' }, [])).toEqual(['models.example'])
})

it('known agents name what they need in a sandbox', () => {
  for (const { id, ownPaths, hosts } of KNOWN_AGENTS) {
    expect(ownPaths, id).not.toEqual([])
    expect(hosts, id).not.toEqual([])
  }
})
