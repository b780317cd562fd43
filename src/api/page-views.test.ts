import { expect, it } from 'vitest'
import { isPageView } from './page-views.ts'

it.each(['/', '/add', '/inbox', '/inbox/', '/board', '/history', '/search', '/s/ses_1'])('%s is a view', (path) => {
  expect(isPageView(path)).toBe(true)
})

it.each(['/mcp', '/w/default/s/ses_1', '/s', '/s/', '/s/ses_1/x', '/inbox2', '/.env', '//', '/api/v1', '/ad'])(
  '%s is none',
  (path) => {
    expect(isPageView(path)).toBe(false)
  },
)
