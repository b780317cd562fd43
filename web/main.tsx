import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import './ui/tokens.css'
import './ui/base.css'
import { App } from './App.tsx'
import { page } from './data/connect.ts'
import { showPreferences } from './data/preferences.ts'

showPreferences()
void page.start()
createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App page={page} />
  </StrictMode>,
)
