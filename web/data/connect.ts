import { connect } from '../../src/client/client.ts'
import { recall } from './memory.ts'
import { ServedPage } from './page-store.ts'

/** The page store on the server that this page came from. The cookie authenticates it. */
export const page = new ServedPage(connect({ url: location.origin }), recall('workspace'))
