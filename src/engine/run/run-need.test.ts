import { expect, it } from 'vitest'
import type { SandboxSpec } from '../../host/sandbox/enclose.ts'
import { NO_BROWSER } from '../browsers/browsers.ts'
import { withBrowser } from './run-need.ts'

const sandbox = { mode: 'strict', hosts: ['a.example'] } as unknown as SandboxSpec
const url = { CARREL_BROWSER_URL: 'http://127.0.0.1:1' }
const door = { leads: [{ port: 1, socket: '/run/carrel-door/browser' }] }

it.each([
  ['no browser', null, NO_BROWSER, {}, {}, null],
  ['a browser of this machine', null, { env: url, shown: url, door: {} }, url, url, null],
  ['a browser of a service, whose address people may not see', null, { env: url, shown: {}, door: {} }, url, {}, null],
  ['a browser behind a door', sandbox, { env: url, shown: url, door }, url, url, { ...sandbox, ...door }],
  ['a door without a sandbox', null, { env: url, shown: url, door }, url, url, null],
] as const)(
  'a need with %s has its address, and its door in a sandbox only',
  (_name, before, access, env, own, after) => {
    const need = { env: { HOME: '/home' }, own: { PORT_WEB: '4000' }, sandbox: before }
    expect(withBrowser(need, access)).toEqual({
      env: { HOME: '/home', ...env },
      own: { PORT_WEB: '4000', ...own },
      sandbox: after,
    })
    expect(need).toEqual({ env: { HOME: '/home' }, own: { PORT_WEB: '4000' }, sandbox: before })
  },
)
