/** Paths of the page's views. `$name` stands for one segment. The page routes by them, and the server answers no others. */
export const PAGE_VIEWS = {
  home: '/',
  add: '/add',
  inbox: '/inbox',
  board: '/board',
  history: '/history',
  search: '/search',
  session: '/s/$session',
} as const

const PATTERNS = Object.values(PAGE_VIEWS).map(
  (view) => new RegExp(`^${view.replace(/\$[a-z]+/g, '[^/]+').replace(/\/$/, '')}/?$`),
)

/** Whether a path, without query, is that of a view. */
export const isPageView = (path: string): boolean => PATTERNS.some((pattern) => pattern.test(path))
