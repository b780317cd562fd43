import { CSPProvider } from '@base-ui/react/csp-provider'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { createMemoryHistory, createRootRoute, createRoute, createRouter, RouterProvider } from '@tanstack/react-router'
import { createRoot } from 'react-dom/client'
import '../ui/tokens.css'
import '../ui/base.css'
import '../session/session.css'
import '../shell/shell.css'
import { GalleryPage } from './GalleryPage.tsx'

// The gallery shows all states from fixed data. Tests and screenshots use it; it has no server.
const root = createRootRoute({ component: GalleryPage })
const session = createRoute({ getParentRoute: () => root, path: '/s/$session', component: () => null })
const router = createRouter({
  routeTree: root.addChildren([session]),
  history: createMemoryHistory({ initialEntries: ['/'] }),
})

createRoot(document.getElementById('root')!).render(
  <CSPProvider disableStyleElements>
    <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
      <RouterProvider router={router as never} />
    </QueryClientProvider>
  </CSPProvider>,
)
