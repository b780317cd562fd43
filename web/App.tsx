import { CSPProvider } from '@base-ui/react/csp-provider'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import type { PageStore } from './data/page-state.ts'
import { PageContext } from './data/use-page.ts'
import { router } from './routes.tsx'

const queries = new QueryClient({ defaultOptions: { queries: { retry: 1, staleTime: 15_000 } } })

export function App({ page }: { page: PageStore }) {
  return (
    <CSPProvider disableStyleElements>
      <PageContext value={page}>
        <QueryClientProvider client={queries}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </PageContext>
    </CSPProvider>
  )
}
