import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router'
import { PAGE_VIEWS } from '../src/api/page-views.ts'
import { SessionRoute } from './session/SessionRoute.tsx'
import { NotFound, Shell } from './shell/Shell.tsx'
import { Home } from './start/Home.tsx'

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound })
const home = createRoute({ getParentRoute: () => root, path: PAGE_VIEWS.home, component: Home })
const add = createRoute({
  getParentRoute: () => root,
  path: PAGE_VIEWS.add,
  component: lazyRouteComponent(() => import('./start/StartForm.tsx'), 'AddSpace'),
})
const inbox = createRoute({
  getParentRoute: () => root,
  path: PAGE_VIEWS.inbox,
  component: lazyRouteComponent(() => import('./inbox/InboxView.tsx'), 'InboxView'),
})
const board = createRoute({
  getParentRoute: () => root,
  path: PAGE_VIEWS.board,
  component: lazyRouteComponent(() => import('./board/BoardView.tsx'), 'BoardView'),
})
const history = createRoute({
  getParentRoute: () => root,
  path: PAGE_VIEWS.history,
  component: lazyRouteComponent(() => import('./timeline/HistoryView.tsx'), 'HistoryView'),
})
const search = createRoute({
  getParentRoute: () => root,
  path: PAGE_VIEWS.search,
  validateSearch: ({ q, session: of }: Record<string, unknown>): { q?: string; session?: string } => ({
    ...(q !== undefined && { q: String(q) }),
    ...(of !== undefined && { session: String(of) }),
  }),
  component: lazyRouteComponent(() => import('./search/SearchView.tsx'), 'SearchView'),
})
const session = createRoute({ getParentRoute: () => root, path: PAGE_VIEWS.session, component: SessionRoute })

export const router = createRouter({
  routeTree: root.addChildren([home, add, inbox, board, history, search, session]),
  // The transcript keeps its own place; the router must not move it.
  scrollRestoration: false,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
